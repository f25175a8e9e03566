"""Builds an OpenAPI 3.1 document from the operations that a service declares.

The service creates its routes from the same list, so the document is complete. The schemas are
those of the pydantic models that parse the requests and write the responses.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from shared.errors import Code, RequestError
from shared.web.request_spans import TRACE_RESPONSE

_REFERENCE: Final = "#/components/schemas/{model}"
_HEADER: Final = "#/components/headers/{name}"
_PATH_PARAMETER: Final = re.compile(r"{(\w+)}")
_ALWAYS: Final = {
    TRACE_RESPONSE: "`00-<trace id>-<span id>-<flags>`; quote the trace id in a report of a problem."
}
"""Headers that every response has, with their descriptions."""
_SERVERS: Final = (
    {"url": "/", "description": "The gateway that serves this document."},
    {"url": "http://127.0.0.1:7400", "description": "The gateway of `make run`."},
)
_PATH_SCHEMA: Final = {"type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[^/?#]+$"}


class Problem(BaseModel):
    """An error (RFC 9457); `code` is stable, `detail` is for people and may change."""

    code: Code
    status: int
    detail: str
    field: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one path, with its parameters and all its responses."""

    method: str
    path: str
    name: str
    """The `operationId`; unique in the document."""
    summary: str
    responses: Mapping[int, type[BaseModel] | None]
    """The body's model by status; None means no body. Without the errors."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Descriptions of headers that any response may have, errors included, by name. A header has
    the same description in all operations of a document."""
    errors: Sequence[type[RequestError]]
    body: type[BaseModel] | None = None
    body_required: bool = True
    query: type[BaseModel] | None = None
    path_parameters: type[BaseModel] | None = None
    """The parameters of the path; if None, each is a text of at most 64 characters."""
    request_headers: type[BaseModel] | None = None
    problem: type[Problem] = Problem
    """The body's model of the errors."""
    security: Sequence[str] = ()
    """Names of security schemes, one of which suffices; empty, or with "", needs none."""
    tags: Sequence[str] = field(default_factory=tuple)


def document(
    *,
    title: str,
    version: str,
    description: str,
    operations: Iterable[Operation],
    security_schemes: Mapping[str, Mapping[str, str]],
) -> dict[str, Any]:
    """The document, ready for JSON."""
    operations = list(operations)
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    components: dict[str, Any] = {
        "schemas": _schemas(operations),
        "securitySchemes": {name: dict(scheme) for name, scheme in security_schemes.items()},
    }
    headers = dict(_ALWAYS)
    for operation in operations:
        headers |= operation.headers
    components["headers"] = {name: _header(text) for name, text in headers.items()}
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version, "description": description},
        "servers": [dict(server) for server in _SERVERS],
        "paths": paths,
        "components": components,
    }


def _operation(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": list(operation.tags),
        "responses": {
            str(status): _response(status, model) for status, model in operation.responses.items()
        }
        | _problems(operation.errors, operation.problem),
        "security": [{scheme: []} if scheme else {} for scheme in operation.security or ("",)],
    }
    parameters = [
        *_path(operation),
        *_parameters(operation.query, "query"),
        *_parameters(operation.request_headers, "header"),
    ]
    if parameters:
        described["parameters"] = parameters
    for response in described["responses"].values():
        names = (*_ALWAYS, *operation.headers)
        headers = {name: {"$ref": _HEADER.format(name=name)} for name in names}
        response["headers"] = headers | response.get("headers", {})
    if operation.body is not None:
        described["requestBody"] = {
            "required": operation.body_required,
            "content": {"application/json": {"schema": _reference(operation.body)}},
        }
    return described


def _path(operation: Operation) -> list[dict[str, Any]]:
    if operation.path_parameters is not None:
        return _parameters(operation.path_parameters, "path")
    return [
        {"name": name, "in": "path", "required": True, "schema": _PATH_SCHEMA}
        for name in _PATH_PARAMETER.findall(operation.path)
    ]


def _parameters(model: type[BaseModel] | None, place: str) -> list[dict[str, Any]]:
    if model is None:
        return []
    schema = model.model_json_schema(ref_template=_REFERENCE)
    required = schema.get("required", [])
    parameters = []
    for name, described in schema["properties"].items():
        parameter = {"name": name, "in": place, "required": name in required}
        if "description" in described:
            parameter["description"] = described.pop("description")
        parameters.append(parameter | {"schema": _without_null(described)})
    return parameters


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a parameter that is present; null stands for an absent one."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    if len(kinds) != 1:
        return schema
    (kind,) = kinds
    rest = {name: value for name, value in schema.items() if name not in ("anyOf", "default")}
    return {**rest, **kind}


def _response(status: int, model: type[BaseModel] | None) -> dict[str, Any]:
    response: dict[str, Any] = {"description": HTTPStatus(status).phrase}
    if model is not None:
        response["content"] = {"application/json": {"schema": _reference(model)}}
    return response


def _problems(errors: Iterable[type[RequestError]], model: type[BaseModel]) -> dict[str, Any]:
    by_status: dict[int, list[type[RequestError]]] = {}
    for error in errors:
        by_status.setdefault(int(error.status), []).append(error)
    return {
        str(status): _problem(status, kinds, model) for status, kinds in sorted(by_status.items())
    }


def _problem(
    status: int, kinds: list[type[RequestError]], model: type[BaseModel]
) -> dict[str, Any]:
    codes = sorted({kind.code.value for kind in kinds})
    response: dict[str, Any] = {
        "description": f"{HTTPStatus(status).phrase}: {', '.join(codes)}",
        # A schema of its own for each list of codes would make generated clients have hundreds of
        # types, or none: openapi-python-client drops what it cannot merge.
        "content": {"application/problem+json": {"schema": _reference(model)}},
        "x-codes": codes,
    }
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        response["headers"] = {"Retry-After": _header("Seconds.")}
    return response


def _header(description: str) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "string"}}


def _reference(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": _REFERENCE.format(model=model.__name__)}


def _schemas(operations: Sequence[Operation]) -> dict[str, Any]:
    models: dict[type[BaseModel], None] = {Problem: None}
    for operation in operations:
        for model in (operation.body, operation.problem, *operation.responses.values()):
            if model is not None:
                models[model] = None
    _, described = models_json_schema(
        [(model, "validation") for model in models], ref_template=_REFERENCE
    )
    schemas: dict[str, Any] = described["$defs"]
    for operation in operations:
        for model in (operation.query, operation.path_parameters, operation.request_headers):
            if model is not None:
                schemas |= model.model_json_schema(ref_template=_REFERENCE).get("$defs", {})
    return schemas
