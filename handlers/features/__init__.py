"""Features: one file per idea, each a pure function of the panel and nothing else."""
