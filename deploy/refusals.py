"""Why set-up or operation cannot go on, said to the person at the terminal."""


class SetupError(Exception):
    """Something only the operator can put right; shown without a traceback, Chinese first.

    Parameters
    ----------
    chinese, english
        One or two sentences each: what is wrong, and what to do.
    """

    def __init__(self, chinese: str, english: str) -> None:
        super().__init__(english)
        self.chinese = chinese
        self.english = english
