"""City management on the grid: cases, construction, housing (its first content comes with the case module)."""
