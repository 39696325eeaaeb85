"""The readable page: every operation, model and problem code, from the same table as the routes; English or Spanish."""

from collections.abc import Iterable
from functools import lru_cache
from html import escape
from typing import Any

from aiohttp import web

from gateway.api import openapi
from gateway.api.auth import Who
from gateway.api.codes import CATALOGUE
from gateway.api.exchange import Ask, content
from gateway.api.operation import Operation
from gateway.api.problems import problem_statuses

PAGES = web.AppKey("the readable page by language", dict[str, bytes])
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem;color:#1b1f24}"
    "h2{border-bottom:2px solid #d0d7de;margin-top:2.5rem}h3{margin-bottom:.2rem}"
    "code,pre{font:14px/1.4 ui-monospace,monospace;background:#f3f4f6;padding:.1rem .3rem;border-radius:3px}"
    "pre{padding:.8rem;overflow:auto}table{border-collapse:collapse;width:100%;margin:.5rem 0}"
    "td,th{text-align:left;vertical-align:top;padding:.25rem .6rem;border-bottom:1px solid #e4e7eb}th{width:7rem}"
    "td:nth-child(2),h1,h3{overflow-wrap:anywhere}"
    ".method{display:inline-block;min-width:4rem;font-weight:700}.who{color:#57606a}nav a{margin-right:1rem}"
    ":target{background:#fff8c5}"
    "@media(prefers-color-scheme:dark){body{background:#14171a;color:#e6e8ea}code,pre{background:#23282d}"
    "a{color:#79b8ff}td,th,h2{border-color:#39424a}.who{color:#9aa4ad}:target{background:#3d3a1a}}"
)
_TAGS_ES = {
    "health": "salud",
    "documentation": "documentación",
    "status": "estado",
    "tills": "cajas",
    "catalogue": "catálogo",
    "stock": "existencias",
    "documents": "documentos",
    "devices": "dispositivos",
    "link": "enlace",
    "administration": "administración",
}
_SAFE = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"
_WORDS = {
    "en": {
        "title": "Store gateway: till API",
        "intro": (
            "Send JSON and <code>Authorization: Bearer &lt;token&gt;</code>. Amounts and quantities are decimal"
            " strings. You make the ids (UUID, version 7 advised): <strong>a PUT of the same id is the retry</strong>;"
            " it answers 201 the first time, then 200 with the same bytes, and <a href='#key_reused'>key_reused</a>"
            " if the body differs. When no answer comes, send the same request again. Every &ldquo;no&rdquo; is an"
            " <a href='https://www.rfc-editor.org/rfc/rfc9457'>RFC 9457</a> problem with a stable <code>code</code>"
            " and <code>advice</code>. Lists answer <code>items</code> and <code>next</code>; pass <code>next</code>"
            " as <code>cursor</code>."
        ),
        "operations": "Operations",
        "models": "Models",
        "problems": "Problem codes",
        "for": "for",
        "body": "Body",
        "answers": "Answers",
        "refusals": "Problems",
        "advice": "advice",
        "required": "required",
        "anyone": "anyone",
        "till": "tills",
        "administrator": "the administrator",
        "a till or the administrator": "a till or the administrator",
        "this machine or the administrator": "this machine, or the administrator",
        "machine": "For programs",
    },
    "es": {
        "title": "Gateway de tienda: API de cajas",
        "intro": (
            "Envíe JSON y <code>Authorization: Bearer &lt;token&gt;</code>. Importes y cantidades son textos decimales."
            " Usted crea los ids (UUID, mejor versión 7): <strong>un PUT con el mismo id es el reintento</strong>;"
            " responde 201 la primera vez, después 200 con los mismos bytes, y <a href='#key_reused'>key_reused</a> si"
            " el cuerpo es otro. Si no llega respuesta, envíe la misma solicitud otra vez. Todo &ldquo;no&rdquo; es un"
            " problema <a href='https://www.rfc-editor.org/rfc/rfc9457'>RFC 9457</a> con <code>code</code> y"
            " <code>advice</code> estables. Las listas responden <code>items</code> y <code>next</code>; pase"
            " <code>next</code> como <code>cursor</code>."
        ),
        "operations": "Operaciones",
        "models": "Modelos",
        "problems": "Códigos de problema",
        "for": "para",
        "body": "Cuerpo",
        "answers": "Respuestas",
        "refusals": "Problemas",
        "advice": "consejo",
        "required": "obligatorio",
        "anyone": "cualquiera",
        "till": "cajas",
        "administrator": "el administrador",
        "a till or the administrator": "una caja o el administrador",
        "this machine or the administrator": "este equipo, o el administrador",
        "machine": "Para programas",
    },
}


async def serve(ask: Ask) -> web.Response:
    """The page in the asker's language."""
    language = ask.language
    headers = {"Content-Language": language, "Vary": "Accept-Language", "Content-Security-Policy": _SAFE}
    return content(ask.request.app[PAGES][language], "text/html; charset=utf-8", headers)


@lru_cache(maxsize=4)
def render(operations: tuple[Operation, ...], language: str, version: str) -> bytes:
    """The whole page, with nothing to be fetched from elsewhere."""
    words = _WORDS[language]
    tags = list(dict.fromkeys(operation.tag for operation in operations))
    parts = [
        f"<!doctype html><html lang={language}><head><meta charset=utf-8>",
        '<meta name=viewport content="width=device-width, initial-scale=1">',
        f"<title>{escape(words['title'])}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{escape(words['title'])} {escape(version)}</h1><p>{words['intro']}</p>",
        f"<p>{words['machine']}: <a href='/v1/openapi.json'>/v1/openapi.json</a> (OpenAPI 3.1)</p><nav>",
        *(f"<a href='#tag-{tag}'>{_shown(tag, language)}</a>" for tag in tags),
        f"<a href='#models'>{words['models']}</a><a href='#problems'>{words['problems']}</a></nav>",
    ]
    for tag in tags:
        parts.append(f"<h2 id='tag-{tag}'>{words['operations']}: {_shown(tag, language)}</h2>")
        parts.extend(_operation(each, language) for each in operations if each.tag == tag)
    parts.append(f"<h2 id=models>{words['models']}</h2>")
    parts.extend(_model(name, schema, words) for name, schema in openapi.schemas(operations).items())
    parts.append(f"<h2 id=problems>{words['problems']}</h2>")
    parts.extend(_problem(code, language) for code in sorted(CATALOGUE))
    parts.append("</body></html>\n")
    return "\n".join(parts).encode()


def _shown(tag: str, language: str) -> str:
    return _TAGS_ES[tag] if language == "es" else tag


def _operation(operation: Operation, language: str) -> str:
    words = _WORDS[language]
    summary = operation.es if language == "es" else operation.en
    rows = []
    if operation.query is not None:
        rows.append(("?", _fields(openapi.query_schemas(operation.query), (), words)))
    if operation.body == "csv":
        rows.append((words["body"], "<code>text/csv</code>"))
    elif operation.body is not None:
        rows.append((words["body"], _linked(operation.body.__name__)))
    answers = [
        f"{answer.status} {escape(answer.es if language == 'es' else answer.en)} "
        + (_linked(answer.model.__name__) if answer.model is not None else escape(", ".join(answer.media)))
        for answer in operation.answers
    ]
    rows.append((words["answers"], "<br>".join(answers)))
    problems = [
        f"{status}: " + ", ".join(f"<a href='#{code}'>{code}</a>" for code in codes)
        for status, codes in sorted(problem_statuses(operation.codes).items())
    ]
    rows.append((words["refusals"], "<br>".join(problems)))
    return (
        f"<h3 id='{operation.id}'><span class=method>{operation.method}</span>"
        f" <code>{escape(operation.path)}</code></h3>"
        f"<p>{escape(summary)} <span class=who>({words['for']} {words[_audience(operation).value]})</span></p><table>"
        + "".join(f"<tr><th>{head}</th><td>{cell}</td></tr>" for head, cell in rows)
        + "</table>"
    )


def _audience(operation: Operation) -> Who:
    """The administrator may read what tills read."""
    is_read = operation.who is Who.TILL and operation.method == "GET"
    return Who.EITHER if is_read else operation.who


def _model(name: str, schema: dict[str, Any], words: dict[str, str]) -> str:
    about = f"<p>{escape(schema['description'])}</p>" if "description" in schema else ""
    fields = _fields(schema.get("properties", {}), schema.get("required", ()), words)
    kinds = "" if "properties" in schema else f"<p><code>{_kind(schema)}</code></p>"
    return f"<h3 id='model-{name}'>{name}</h3>{about}{kinds}{fields}"


def _fields(properties: dict[str, Any], required: Iterable[str], words: dict[str, str]) -> str:
    needed = set(required)
    rows = [
        f"<tr><td><code>{escape(name)}</code></td><td>{_kind(schema)}</td>"
        f"<td>{words['required'] if name in needed else ''}</td></tr>"
        for name, schema in properties.items()
    ]
    return f"<table>{''.join(rows)}</table>" if rows else ""


def _kind(schema: dict[str, Any]) -> str:
    """A field's type and bounds in a few words."""
    if "$ref" in schema:
        return _linked(schema["$ref"].rsplit("/", 1)[-1])
    if "anyOf" in schema:
        return " | ".join(_kind(each) for each in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(f"<code>{escape(str(each))}</code>" for each in schema["enum"])
    if "const" in schema:
        return f"<code>{escape(str(schema['const']))}</code>"
    kind = escape(str(schema.get("type", "")))
    if "items" in schema:
        kind += f" of {_kind(schema['items'])}"
    bounds = [
        f"{name} {escape(str(schema[name]))}"
        for name in ("minLength", "maxLength", "minItems", "maxItems", "minimum", "maximum", "maxProperties", "default")
        if schema.get(name) is not None and not isinstance(schema[name], list | dict)
    ]
    if "pattern" in schema:
        bounds.append(f"<code>{escape(schema['pattern'])}</code>")
    return kind + (f" ({', '.join(bounds)})" if bounds else "")


def _linked(model: str) -> str:
    return f"<a href='#model-{model}'>{model}</a>"


def _problem(code: str, language: str) -> str:
    kind, words = CATALOGUE[code], _WORDS[language]
    title, detail = (kind.title_es, kind.detail_es) if language == "es" else (kind.title_en, kind.detail_en)
    return (
        f"<h3 id='{code}'><code>{code}</code> {kind.status}</h3><p><strong>{escape(title)}.</strong> {escape(detail)}"
        f" <span class=who>({words['advice']}: <code>{kind.advice.value}</code>)</span></p>"
    )
