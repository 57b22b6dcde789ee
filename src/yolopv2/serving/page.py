"""GET /docs: what the service takes, as a page without scripts, which needs no other server."""

from html import escape
from typing import Any

POLICY = "default-src 'none'; style-src 'unsafe-inline'"

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
h2 { margin: 2rem 0 .3rem; font: 600 1.05rem/1.5 ui-monospace, monospace }
b { color: #06c; margin-right: .6em }
table { border-collapse: collapse; width: 100% }
td, th { text-align: left; vertical-align: top; padding: .2rem .8rem .2rem 0; border-bottom: 1px solid #ddd }
code, pre { font: .9rem/1.5 ui-monospace, monospace }
pre { background: #f4f4f4; padding: .8rem; overflow-x: auto }
"""


def docs_page(description: dict[str, Any], examples: str) -> str:
    """The page.

    Args:
        description: The application's OpenAPI description.
        examples: Lines for a shell.
    """
    info = description["info"]
    parts = [
        f"<h1>{escape(info['title'])} {escape(info['version'])}</h1><p>{escape(info['description'])}</p>",
        f'<p>The whole description: <a href="/openapi.json">openapi.json</a>.</p><pre>{escape(examples)}</pre>',
    ]
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            parts.append(_operation(path, method, operation))
    body = "\n".join(parts)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(info["title"])}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style><body>{body}</body></html>'
    )


def _operation(path: str, method: str, operation: dict[str, Any]) -> str:
    words = escape(operation.get("description", operation.get("summary", "")))
    rows = "".join(_parameter(entry) for entry in operation.get("parameters", []))
    table = f"<table><tr><th>option<th>type<th>default<th>meaning{rows}</table>" if rows else ""
    return f"<h2><b>{method.upper()}</b>{escape(path)}</h2><p>{words}</p>{table}"


def _parameter(parameter: dict[str, Any]) -> str:
    schema = parameter["schema"]
    kinds = [kind for kind in schema.get("anyOf", [schema]) if kind.get("type") != "null"]
    kind = ", ".join(
        " | ".join(map(str, entry["enum"])) if "enum" in entry else str(entry.get("type", "")) for entry in kinds
    )
    default = "" if schema.get("default") is None else str(schema["default"])
    cells = (parameter["name"], kind, default, parameter.get("description", ""))
    return "<tr>" + "".join(f"<td>{escape(cell)}" for cell in cells)
