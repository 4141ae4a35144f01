"""The routes of the labelling page.

Every annotator works under ``/a/<annotator>/``, so that two of them can use one browser. Pages are sent as
JSON and shown by ``static/page.js``, which puts text into the page as text only.
"""

from __future__ import annotations

import json
import mimetypes
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markdown_it import MarkdownIt
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from boilerplate_ds.document import Label
from boilerplate_ds.errors import BoilerplateError, LabelError, NotSavedError
from boilerplate_ds.labeling.drafts import SURE, Draft, edit_record, label_letters, parse_change
from boilerplate_ds.labeling.guidelines import guidelines_file
from boilerplate_ds.labeling.session import ChangeClashError
from boilerplate_ds.labeling.web.access import Guard

if TYPE_CHECKING:
    from starlette.requests import Request

    from boilerplate_ds.labeling.drafts import Step
    from boilerplate_ds.labeling.session import Progress, Session
    from boilerplate_ds.labeling.web.access import Access

MAX_BODY = 4 * 2**20
MAX_CHANGES = 500
ROWS = 200
"""Documents on one page of the overview."""
_HERE = Path(__file__).parent


def make_app(session: Session, access: Access) -> Starlette:
    """Make the web application of a session."""
    views = _Views(session, access)
    mimetypes.add_type(
        "text/javascript", ".js"
    )  # some Windows machines say text/plain, which browsers refuse
    return Starlette(
        routes=[
            Route("/", views.door),
            Route("/a/{annotator}/", views.overview),
            Route("/a/{annotator}/page", views.page),
            Route("/a/{annotator}/document", views.document),
            Route("/a/{annotator}/progress", views.progress),
            Route("/a/{annotator}/changes", views.changes, methods=["POST"]),
            Mount("/static", StaticFiles(directory=_HERE / "static")),
        ],
        middleware=[Middleware(Guard, access=access)],
        exception_handlers={HTTPException: views.refusal, BoilerplateError: views.failure},
    )


class _Views:
    """Answers requests; the session does the work."""

    def __init__(self, session: Session, access: Access) -> None:
        self.session = session
        self.access = access
        self.templates = Environment(
            loader=PackageLoader("boilerplate_ds.labeling.web"), autoescape=True, undefined=StrictUndefined
        )
        self.templates.filters["urlencode"] = _quoted
        markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
        text = guidelines_file(session.folder).read_text(encoding="utf-8", errors="replace")
        self.guidelines = markdown.render(text.partition("\n")[2] if text.startswith("version:") else text)

    def door(self, request: Request) -> Response:
        """Lead the only annotator to their pages; ask several who they are."""
        names = self.session.annotators
        if len(names) == 1 and not self.access.tokens:
            return RedirectResponse(f"/a/{names[0]}/")
        return self._html("door.html", request, names=() if self.access.tokens else names)

    def overview(self, request: Request) -> Response:
        """List an annotator's pages and figures; the link with the token signs in."""
        annotator = request.path_params["annotator"]
        token = request.query_params.get("token")
        if token is not None and self.access.tokens:
            if not self.access.admits(annotator, token):
                raise HTTPException(403, "This link is not valid (any more). Ask for a new one.")
            answer = RedirectResponse(f"/a/{annotator}/", status_code=303)
            answer.set_cookie(
                "token", token, path=f"/a/{annotator}/", httponly=True, samesite="lax", max_age=90 * 86_400
            )
            return answer
        self._signed_in(request)
        ids = self.session.queue(annotator)
        first = ROWS * _number(request.query_params.get("part", "0"), len(ids) // ROWS)
        rows = [self.session.draft(annotator, i, suggest=False) for i in ids[first : first + ROWS]]
        return self._html(
            "overview.html",
            request,
            annotator=annotator,
            progress=self.session.progress(annotator),
            rows=rows,
            first=first,
            parts=range((len(ids) + ROWS - 1) // ROWS),
            upcoming=self.session.next(annotator),
        )

    def page(self, request: Request) -> Response:
        """Give the page on which documents are labelled; without ``id`` the next one to do."""
        annotator = self._signed_in(request)
        doc_id = request.query_params.get("id") or self.session.next(annotator)
        if doc_id is None:
            return RedirectResponse(f"/a/{annotator}/", status_code=303)
        self.session.draft(annotator, doc_id)
        return self._html(
            "page.html",
            request,
            annotator=annotator,
            doc_id=doc_id,
            guidelines=self.guidelines,
        )

    def document(self, request: Request) -> Response:
        """Give a document with its draft as JSON."""
        annotator = self._signed_in(request)
        doc_id = request.query_params.get("id", "")
        draft = self.session.draft(annotator, doc_id)
        ids = self.session.queue(annotator)
        answer = draft_json(draft)
        answer["session"] = self.session.id
        answer["place"] = ids.index(doc_id) + 1 if doc_id in ids else None
        answer["pages"] = len(ids)
        answer["reason"] = self.session.reason(doc_id)
        answer["previous"] = ids[ids.index(doc_id) - 1] if doc_id in ids[1:] else None
        answer["next"] = self.session.next(annotator, doc_id)
        return _json(answer)

    def progress(self, request: Request) -> Response:
        """Give an annotator's figures as JSON."""
        return _json(progress_json(self.session.progress(self._signed_in(request))))

    async def changes(self, request: Request) -> Response:
        """Take changes, in order; each is answered for itself once it is on disk."""
        annotator = self._signed_in(request)
        if request.headers.get("content-type", "").partition(";")[0] != "application/json":
            raise HTTPException(415, "Changes are sent as application/json.")
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY:
                raise HTTPException(413, f"The limit is {MAX_BODY:,} bytes.")
        try:
            sent = json.loads(body)
            session, records = sent["session"], sent["changes"]
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise HTTPException(400, 'Send {"session": "...", "changes": [...]}.') from error
        if session != self.session.id:
            raise HTTPException(409, "Another session is served here now")
        if not isinstance(records, list) or len(records) > MAX_CHANGES:
            raise HTTPException(400, f"changes are not a list of at most {MAX_CHANGES}.")
        try:
            results = await run_in_threadpool(lambda: [self._change(annotator, record) for record in records])
        except NotSavedError as error:  # the page keeps all of them, and sends them again
            raise HTTPException(503, str(error)) from error
        return _json({"results": results})

    def _change(self, annotator: str, record: Any) -> dict[str, Any]:
        if not isinstance(record, dict):
            return {"id": None, "error": "not an object"}
        result: dict[str, Any] = {"id": record.get("id"), "doc_id": record.get("doc_id")}
        try:
            # Who and when are the server's to say.
            change = replace(parse_change(record), by="", created_at="")
            draft = self.session.apply(annotator, change)
        except ChangeClashError as clash:
            return result | {"error": str(clash), "clash": True, "version": clash.draft.version}
        except NotSavedError:
            raise
        except LabelError as error:
            return result | {"error": str(error)}
        return result | {"version": draft.version, "status": draft.status}

    def refusal(self, request: Request, error: Exception) -> Response:
        """Say why a request was turned down."""
        assert isinstance(error, HTTPException)  # noqa: S101 - what it is registered for
        return self._problem(request, error.status_code, error.detail)

    def failure(self, request: Request, error: Exception) -> Response:
        """Say what a room of the package could not do: there is no such page, or it cannot be had now."""
        is_unknown = isinstance(error, LabelError) and not isinstance(error, NotSavedError)
        return self._problem(request, 404 if is_unknown else 503, str(error))

    def _problem(self, request: Request, status: int, message: str) -> Response:
        if "text/html" in request.headers.get("accept", ""):
            return self._html("problem.html", request, status, message=message)
        return JSONResponse({"error": message}, status)

    def _signed_in(self, request: Request) -> str:
        annotator: str = request.path_params["annotator"]
        if annotator not in self.session.annotators:
            raise HTTPException(404, f"There is no annotator {annotator!r} in this session.")
        if not self.access.admits(annotator, request.cookies.get("token")):
            raise HTTPException(401, "Open the link that you were given; it signs you in.")
        return annotator

    def _html(self, template: str, request: Request, status: int = 200, **context: Any) -> HTMLResponse:
        shared = {"session": self.session, "labels": tuple(Label), "path": request.url.path}
        text = self.templates.get_template(template).render(shared | context)
        return HTMLResponse(text.encode("utf-8", "replace"), status)


def draft_json(draft: Draft) -> dict[str, Any]:
    """Give all that the page needs to show a document."""
    document, suggestion = draft.document, draft.suggestion
    return {
        "id": document.id,
        "text_sha256": document.text_sha256,
        "site": document.site,
        "url": document.url,
        "lines": document.lines,
        "gaps": document.blank_before.nonzero()[0].tolist(),
        "labels": label_letters(draft.labels),
        "unsure": draft.unsure.nonzero()[0].tolist(),
        "sure": SURE,
        "look": sorted(draft.look),
        "votes": {name: label_letters(labels) for name, labels in draft.votes.items()},
        "suggestion": suggestion
        and {
            "source": suggestion.source,
            "labels": label_letters(suggestion.labels),
            "scores": [round(float(score), 3) for score in suggestion.scores],
        },
        "note": draft.note,
        "status": draft.status,
        "version": draft.version,
        "undo": _steps(draft.undo),
        "redo": _steps(draft.redo),
    }


def progress_json(progress: Progress) -> dict[str, Any]:
    """Give an annotator's figures as JSON values."""
    return {
        "pages": progress.pages,
        "pages_done": progress.pages_done,
        "pages_skipped": progress.pages_skipped,
        "lines": progress.lines,
        "lines_done": progress.lines_done,
        "lines_a_minute": progress.lines_a_minute,
        "labels": dict(progress.labels),
        "agreement": progress.agreement,
        "kappa": progress.kappa,
        "compared_lines": progress.compared_lines,
    }


def _steps(step: Step | None) -> list[list[list[dict[str, Any]]]]:
    """Write steps that can be undone (or redone), the oldest first: what was done and what takes it back."""
    steps = []
    while step is not None:
        steps.append([[edit_record(e) for e in step.edits], [edit_record(e) for e in step.inverse]])
        step = step.before
    return steps[::-1]


def _json(content: Any) -> Response:
    """Answer with JSON in ASCII: a page may hold half a character, which UTF-8 cannot carry."""
    return Response(json.dumps(content, separators=(",", ":")), media_type="application/json")


def _quoted(text: str) -> str:
    return quote(text, safe="", errors="replace")


def _number(text: str, most: int) -> int:
    return min(int(text), most) if text.isdecimal() and len(text) < 10 else 0
