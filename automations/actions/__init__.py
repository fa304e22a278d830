"""The actions, one to a file. Importing this registers them."""

from automations.actions import branch, for_each, set_variables, stop, wait, webhook

__all__ = ["branch", "for_each", "set_variables", "stop", "wait", "webhook"]
