"""Pictures of the result files of mfg_solve, drawn by scripts/plot."""
