"""How often the reader is right: `make accuracy` prints the table that docs/performance.md reports.

Two test sets: lines that people wrote who had not seen the training lines, in `data/`, and rows of presidio-research
whose sentences training leaves out. Presidio and DataFog read the same texts in an environment of their own. Nothing is
chosen here: thresholds come with the model.
"""
