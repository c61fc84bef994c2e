"""How work moves: jobs, feeds, audit. Knows no layer and no map."""
