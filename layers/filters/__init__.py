"""Filters of features, whatever the language: text → tree → checked against a scope → SQL over alias `r`.

A new language needs a reader into `tree` and nothing else. Every door that filters uses the same compiled
condition through `filtered`: `inside` goes to `queries.relation(where=…)`, `outside` judges its rows.
"""

from layers.filters.checking import check
from layers.filters.compiling import Condition, compiled, equal, filtered

__all__ = ["Condition", "check", "compiled", "equal", "filtered"]
