"""Hypothesis without a deadline: a machine that many share is slow now and then, and that is no bug of ours."""

from hypothesis import settings

settings.register_profile("shared-machine", deadline=None, print_blob=True)
settings.load_profile("shared-machine")
