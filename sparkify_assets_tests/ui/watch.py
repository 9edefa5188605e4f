"""What goes wrong on a page beside what a test looks at: its console, notices, replies."""

from __future__ import annotations

from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Response

# The notices that tell of success; anything else that pops up is a complaint.
_WELCOME = ("Launched run", "Created backfill")

# Notices go away by themselves after some seconds, so they are told of as they come.
_TELL_NOTICES = """
new MutationObserver((changes) => {
  for (const change of changes) for (const node of change.addedNodes)
    if (node.nodeType === 1 && node.matches("[data-sonner-toast]")) tellNotice(node.innerText);
}).observe(document, {childList: true, subtree: true});
"""


class Watch:
    """Collects what goes wrong in a window of the browser."""

    def __init__(self, context: BrowserContext) -> None:
        self.problems: list[str] = []
        self.notices: list[str] = []
        context.expose_function("tellNotice", self._notice)
        context.add_init_script(_TELL_NOTICES)
        context.on("page", self._page)

    def _page(self, page: Page) -> None:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.problems.append(f"error in the page: {error}"))
        page.on("response", self._response)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.problems.append(f"console: {message.text}")

    def _response(self, response: Response) -> None:
        if response.status >= 400:
            self.problems.append(f"{response.status} from {response.url}")

    def _notice(self, text: str) -> None:
        self.notices.append(text)
        if not text.startswith(_WELCOME):
            self.problems.append(f"notice: {text}")
