"""The docstrings of a class's attributes, which Python itself does not keep."""

import ast
import inspect
import textwrap


def attribute_docs(kind: type) -> dict[str, str]:
    """The docstring of each attribute that the body of `kind` itself sets, from its source."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    assert isinstance(tree, ast.ClassDef)
    docs = {}
    for before, node in zip(tree.body, tree.body[1:], strict=False):
        match before, node:
            case (
                ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                docs[name] = " ".join(text.split())
    return docs


def inherited_attribute_docs(kind: type) -> dict[str, str]:
    """The same with the attributes of the project's base classes."""
    docs: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        if base.__module__.startswith(("services.", "shared.", "docgen.", "tests.")):
            docs |= attribute_docs(base)
    return docs
