"""Where checks stand on the road, how grave a failure is, and what a check may say.

Names alone: nothing here judges.
"""

from __future__ import annotations

from typing import Literal

Point = Literal[
    "POST_COLLECTION", "POST_STAGING", "POST_FEATURES", "POST_ASSEMBLY", "PRE_TRAINING"
]
Severity = Literal["critical", "warning"]
"""critical: a failure holds the candidate back. warning: it is said, and goes on."""
Status = Literal["passed", "failed", "error", "skipped"]
