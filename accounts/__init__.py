"""People, departments, roles, service keys: who is asking."""
