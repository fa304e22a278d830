"""The one expression language, used wherever a value may be dynamic: `Dear {{ record.name }}`.

The syntax is that of Jinja2's expressions; statements and comments are refused. A template is a
text with expressions in double braces; a filter ("fires only if") is a bare expression. Names that
are not there are errors, which say what may be meant and where in the template. Everything is
bounded, and nothing of Python can be reached.
"""

from .documents import check_value, names_used, names_used_in_expression, render_value
from .errors import ExpressionError
from .template import (
    Expression,
    Template,
    check,
    check_expression,
    check_url,
    compile_expression,
    compile_template,
    evaluate,
    evaluate_condition,
    render_text,
    render_typed,
    render_url,
)
from .values import Namespace, Reference, Symbol

__all__ = [
    "Expression",
    "ExpressionError",
    "Namespace",
    "Reference",
    "Symbol",
    "Template",
    "check",
    "check_expression",
    "check_url",
    "check_value",
    "compile_expression",
    "compile_template",
    "evaluate",
    "evaluate_condition",
    "names_used",
    "names_used_in_expression",
    "render_text",
    "render_typed",
    "render_url",
    "render_value",
]
