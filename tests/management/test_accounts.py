"""`createsuperuser` and `changepassword`: the portal's rules for passwords, and what an operator's change leads to."""

from collections.abc import Callable

import pytest
from django.core.management import CommandError, call_command

from runs.models import Entry, Member, Verb
from runs.team.password_rules import TOO_SHORT
from tests.support.clients import client_of

pytestmark = pytest.mark.django_db
ROOT = "root@acme.example"
NEW = "another long password"

type Typing = Callable[..., list[str]]


@pytest.fixture
def typing(monkeypatch: pytest.MonkeyPatch) -> Typing:
    """Return a function that types into a terminal: `lines` visibly, `passwords` at the prompts for them. It returns
    the visible prompts, which fill up as they appear."""

    def begin(*lines: str, passwords: list[str]) -> list[str]:
        left, secrets, prompts = iter(lines), iter(passwords), list[str]()

        def answer(prompt: str = "") -> str:
            prompts.append(prompt)
            return next(left)

        monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
        monkeypatch.setattr("builtins.input", answer)
        monkeypatch.setattr("getpass.getpass", lambda *_, **__: next(secrets))
        return prompts

    return begin


def verbs() -> list[tuple[str, str]]:
    return list(Entry.objects.order_by("pk").values_list("verb", "way"))


def test_a_script_is_told_of_a_weak_password(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "admin")
    call_command("createsuperuser", "--noinput", "--email", ROOT)
    assert Member.objects.get(email=ROOT).check_password("admin")
    assert TOO_SHORT in capsys.readouterr().err


def test_a_good_password_from_the_environment_makes_an_admin(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", NEW)
    monkeypatch.setenv("DJANGO_SUPERUSER_EMAIL", "Root@Acme.example")
    call_command("createsuperuser", "--no-input")
    made = Member.objects.get(email=ROOT)
    assert (made.is_admin, made.check_password(NEW)) == (True, True)
    assert verbs() == [(Verb.COMMAND_RUN, "command"), (Verb.PERSON_JOINED, "command")]
    assert ROOT in capsys.readouterr().out
    with pytest.raises(CommandError, match="already exists"):
        call_command("createsuperuser", "--noinput")


def test_without_a_password_the_admin_can_only_use_a_link(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DJANGO_SUPERUSER_PASSWORD", raising=False)
    call_command("createsuperuser", "--noinput", "--email", ROOT, verbosity=0)
    assert not Member.objects.get(email=ROOT).has_usable_password()


@pytest.mark.parametrize("email", ["", "root", None])
def test_without_an_email_address_there_is_no_admin(monkeypatch: pytest.MonkeyPatch, email: str | None) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", NEW)
    with pytest.raises(CommandError, match="email address"):
        call_command("createsuperuser", interactive=False, email=email)


def test_in_a_terminal_a_weak_password_cannot_be_insisted_on(
    typing: Typing, capsys: pytest.CaptureFixture[str]
) -> None:
    prompts = typing("y", ROOT, passwords=["admin", "admin", NEW, NEW])
    call_command("createsuperuser", "--email", "other@acme.example")
    assert TOO_SHORT in capsys.readouterr().out
    assert not any("Bypass" in prompt for prompt in prompts)
    assert not any(member.check_password("admin") for member in Member.objects.all())


def test_in_a_terminal_the_command_asks_until_the_password_is_good(typing: Typing) -> None:
    prompts = typing(ROOT, ROOT, passwords=["admin", NEW, "mistyped password", NEW, NEW])
    call_command("createsuperuser", "--email", ROOT, verbosity=0)
    assert len(prompts) == 2  # the address is asked for again, as `make run` does
    assert Member.objects.get().check_password(NEW)


def test_without_a_terminal_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    with pytest.raises(CommandError, match="--noinput"):
        call_command("createsuperuser")


def test_a_changed_password_is_mailed_and_signs_the_person_out(
    alice: Member, typing: Typing, monkeypatch: pytest.MonkeyPatch
) -> None:
    queued: list[tuple[str, int]] = []
    monkeypatch.setattr("runs.team.security_mail.enqueue", lambda task, pk, _at: queued.append((task, pk)))
    client = client_of(alice)
    typing(passwords=["short", "short", NEW, NEW])
    call_command("changepassword", "Alice@example.com", verbosity=0)
    alice.refresh_from_db()
    assert alice.check_password(NEW)
    assert queued == [("send_password_changed_mail", alice.pk)]
    assert verbs()[-2:] == [(Verb.COMMAND_RUN, "command"), (Verb.PERSON_NEW_PASSWORD, "command")]
    assert alice.signed_in.count() == 0
    assert client.get("/me/").status_code == 302
    assert client_of(alice).get("/me/").status_code == 200


def test_a_password_that_was_not_changed_is_not_mailed(
    alice: Member, typing: Typing, monkeypatch: pytest.MonkeyPatch
) -> None:
    queued: list[str] = []
    monkeypatch.setattr("runs.team.security_mail.enqueue", lambda task, *_: queued.append(task))
    typing(passwords=["short", "short"] * 3)
    with pytest.raises(CommandError):
        call_command("changepassword", alice.email)
    assert queued == []
