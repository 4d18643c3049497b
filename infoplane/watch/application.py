"""The live page as a web application: the page at ``/``, its data at ``/data``, and nothing else."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from infoplane.reports.page.page import page
from infoplane.watch.guard import Guard
from infoplane.watch.live_data import LiveData

# The page brings scripts and style in itself; a policy within it says which, by their sums. Both policies hold.
_OF_PAGE = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def application(live: LiveData, *, token: str, port: int) -> Guard:
    """Return the application.

    Parameters
    ----------
    live : LiveData
        What is shown.
    token : str
        That every request has to carry.
    port : int
        Of the server.

    Returns
    -------
    Guard
        An ASGI application. ``/data`` answers 304, without content, where ``If-None-Match`` is the ``ETag`` of what the
        files still hold.
    """

    def show(request: Request) -> Response:
        text = page(live.data(), live=f"data?token={token}")
        return HTMLResponse(text, headers={"content-security-policy": _OF_PAGE})

    def data(request: Request) -> Response:
        tag, content = live.json()
        headers = {"etag": f'"{tag}"'}
        if request.headers.get("if-none-match") == headers["etag"]:
            return Response(status_code=304, headers=headers)
        return Response(content, media_type="application/json", headers=headers)

    app = Starlette(routes=[Route("/", show), Route("/data", data)])
    app.router.redirect_slashes = False
    return Guard(app, token=token, port=port)
