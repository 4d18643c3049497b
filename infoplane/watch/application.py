"""The live page as a web application: the page at ``/``, its data at ``/data``, and nothing else."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from infoplane.reports.page.page import page, page_policy
from infoplane.watch.guard import Guard
from infoplane.watch.live_data import LiveData


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
        policy = f"{page_policy(live=True)}; frame-ancestors 'none'"
        return HTMLResponse(text, headers={"content-security-policy": policy})

    def data(request: Request) -> Response:
        tag, content = live.json()
        headers = {"etag": f'"{tag}"'}
        if request.headers.get("if-none-match") == headers["etag"]:
            return Response(status_code=304, headers=headers)
        return Response(content, media_type="application/json", headers=headers)

    app = Starlette(routes=[Route("/", show), Route("/data", data)])
    app.router.redirect_slashes = False
    return Guard(app, token=token, port=port)
