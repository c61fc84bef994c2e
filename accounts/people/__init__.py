"""The roster: departments, posts, areas and people from one workbook."""
