"""Plans: compiling, checks, review, publication (its first content comes with the plan modules)."""
