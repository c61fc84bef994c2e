"""What happens to accounts, told to whoever listens (the audit does).

Every signal is sent inside the transaction of what it tells, so that a listener's record and the change
itself are kept or lost together.

logged_in           user
login_failed        username (as typed, cut)
logged_out          user
key_created         key, by
key_revoked         key, by
key_refused         key (None when no such key exists), why
department_changed  department, by, changes ({field: [before, after]})
user_changed        user, by, changes (never a password, only that it changed)
role_changed        role, by, changes
department_merged   source, target, day, by: what belongs to the source belongs to the target from now on
people_imported     by, counts
"""

from django.dispatch import Signal

logged_in = Signal()
login_failed = Signal()
logged_out = Signal()
key_created = Signal()
key_revoked = Signal()
key_refused = Signal()
department_changed = Signal()
user_changed = Signal()
role_changed = Signal()
department_merged = Signal()
people_imported = Signal()
