"""Qlib in a process of its own: the operators of bench/alpha158 as its expressions.

Qlib's Python is another one, with other libraries: so the child's text is handed to it,
and speaks lines. It shares nothing with this process, and nothing is compared by value:
Qlib works on 32-bit input and needs one value a window.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import numpy as np
import polars as pl

from bench.alpha158 import WINDOWS

_UP, _DOWN = "$close-Ref($close, 1)", "Ref($close, 1)-$close"
_MORE, _LESS = "$volume-Ref($volume, 1)", "Ref($volume, 1)-$volume"
_WEIGHED = "Abs($close/Ref($close, 1)-1)*$volume"
EXPRESSIONS = {
    "MA": "Mean($close, {w})",
    "STD": "Std($close, {w})",
    "BETA": "Slope($close, {w})",
    "RANK": "Rank($close, {w})",
    "MAX": "Max($high, {w})",
    "MIN": "Min($low, {w})",
    "CORR": "Corr($close, Log($volume+1), {w})",
    "CORD": "Corr($close/Ref($close, 1), Log($volume/Ref($volume, 1)+1), {w})",
    "CNTP": "Mean($close>Ref($close, 1), {w})",
    "CNTN": "Mean($close<Ref($close, 1), {w})",
    "SUMP": f"Sum(Greater({_UP}, 0), {{w}})",
    "SUMN": f"Sum(Greater({_DOWN}, 0), {{w}})",
    "SUMD": f"Sum(Abs({_UP}), {{w}})",
    "VMA": "Mean($volume, {w})",
    "VSTD": "Std($volume, {w})",
    "WVMA_mean": f"Mean({_WEIGHED}, {{w}})",
    "WVMA_std": f"Std({_WEIGHED}, {{w}})",
    "VSUMP": f"Sum(Greater({_MORE}, 0), {{w}})",
    "VSUMN": f"Sum(Greater({_LESS}, 0), {{w}})",
    "VSUMD": f"Sum(Abs({_MORE}), {{w}})",
}
"""By the names of bench/alpha158, as Qlib's contrib/data/loader.py spells them."""
_CHILD = """
import json, sys, time, warnings
warnings.filterwarnings("ignore")
if __name__ == "__main__":
    import qlib
    from qlib.config import REG_CN
    from qlib.data import D
    from qlib.data.cache import H
    asked = json.loads(sys.stdin.readline())
    qlib.init(provider_uri=asked["folder"], region=REG_CN, kernels=1,
              expression_cache=None, dataset_cache=None, logging_level=40)
    print(json.dumps(qlib.__version__), flush=True)
    for _ in sys.stdin:
        H.clear()
        start = time.perf_counter()
        found = D.features(asked["symbols"], asked["fields"], freq="day")
        took = time.perf_counter() - start
        assert found.shape[1] == len(asked["fields"]), found.shape
        print(json.dumps([took, found.shape[0]]), flush=True)
"""


def laid_out(folder: Path, frames: Sequence[pl.DataFrame]) -> list[str]:
    """Write bars as Qlib stores them, little-endian 32-bit floats; return the symbols."""
    rows = frames[0].height
    days = np.datetime64("1998-01-01") + np.arange(rows)
    symbols = [f"S{i:02d}" for i in range(len(frames))]
    (folder / "calendars").mkdir(parents=True)
    (folder / "instruments").mkdir()
    (folder / "calendars" / "day.txt").write_text("\n".join(map(str, days)) + "\n")
    lines = [f"{symbol}\t{days[0]}\t{days[-1]}" for symbol in symbols]
    (folder / "instruments" / "all.txt").write_text("\n".join(lines) + "\n")
    for symbol, frame in zip(symbols, frames, strict=True):
        home = folder / "features" / symbol.lower()
        home.mkdir(parents=True)
        for name in ("close", "high", "low", "volume"):
            values = frame[name].to_numpy()
            np.hstack([[0.0], values]).astype("<f4").tofile(home / f"{name}.day.bin")
    return symbols


class Qlib:
    """A child that computes the operators of all series each time it is asked."""

    def __init__(
        self, python: Path, folder: Path, frames: Sequence[pl.DataFrame]
    ) -> None:
        """Lay the data out and start the child.

        Args:
            python: an interpreter that has pyqlib.
            folder: an empty one.
            frames: bars, one frame a symbol.
        """
        self.python, self.folder = python, folder
        self.symbols = laid_out(folder / "data", frames)

    def __enter__(self) -> Qlib:
        script = self.folder / "child.py"
        script.write_text(_CHILD, encoding="utf-8")
        self.child = subprocess.Popen(
            [str(self.python), str(script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=self.folder,
        )
        fields = [e.format(w=w) for w in WINDOWS for e in EXPRESSIONS.values()]
        about = {"folder": str(self.folder / "data"), "symbols": self.symbols}
        self._tell(json.dumps({**about, "fields": fields}))
        self.version = json.loads(self._line())
        return self

    def seconds(self) -> float:
        """Return the seconds of one build, by the child's own clock."""
        self._tell("go")
        took, _rows = json.loads(self._line())
        return float(took)

    def _tell(self, line: str) -> None:
        assert self.child.stdin is not None
        self.child.stdin.write(f"{line}\n")
        self.child.stdin.flush()

    def _line(self) -> str:
        assert self.child.stdout is not None
        line = self.child.stdout.readline()
        if not line:
            msg = f"expected a Python that has pyqlib: {self.python} ended"
            raise RuntimeError(msg)
        return line

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.child.kill()
        self.child.wait()
