"""In which language a request is answered: Chinese first, English complete."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import translation

COOKIE = "onemap_language"


def language_of(request: HttpRequest) -> str:
    """'zh' or 'en': asked for by ?lang=, else the reader's cookie, else Accept-Language, else Chinese."""
    asked = request.GET.get("lang") or request.COOKIES.get(COOKIE)
    if asked in {"zh", "en", "zh-CN"}:
        return asked[:2]
    for part in request.headers.get("Accept-Language", "").split(","):
        tag = part.split(";")[0].strip().lower()
        if tag.startswith(("zh", "en")):
            return tag[:2]
    return "zh"


def language(request: HttpRequest) -> dict[str, str]:
    """Template variables: `lang` ('zh' or 'en') and `html_lang`."""
    code = getattr(request, "language", "zh")
    return {"lang": code, "html_lang": "zh-CN" if code == "zh" else "en"}


class LanguageMiddleware:
    """Set `request.language` and Django's own language; remember an explicit choice in a cookie."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer in the reader's language."""
        code = language_of(request)
        vars(request)["language"] = code
        with translation.override("zh-hans" if code == "zh" else "en"):
            response = self.get_response(request)
        if request.GET.get("lang") in {"zh", "en"}:
            response.set_cookie(COOKIE, code, max_age=365 * 86400, samesite="Lax")
        return response
