"""The forms a GigaChat key comes in, and what is said to those that are none."""

import base64

import pytest

from core.errors import AppError, ErrorKind
from core.providers.gigachat_key import SCOPES, check_scope, clean_credentials, streams_allowed

CLIENT = "0a1b2c3d-1111-4222-8333-444455556666"
SECRET = "f9e8d7c6-aaaa-4bbb-9ccc-ddddeeeeffff"
KEY = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
PAID = base64.b64encode(f"{CLIENT}:s3cret/with+signs?~~~".encode()).decode()


def refusal_of(value: str, client_id: str | None = None) -> AppError:
    with pytest.raises(AppError) as caught:
        clean_credentials(value, "GIGACHAT_API_KEY", client_id)
    error = caught.value
    for pasted in (value.strip(), client_id or CLIENT):
        assert pasted not in f"{error!r} {error.text()} {error.params}"
        assert error.text("ru")
    return error


def test_the_example_is_as_long_as_real_keys() -> None:
    assert 80 <= len(KEY) <= 100
    assert KEY.endswith("=")


@pytest.mark.parametrize(
    "pasted",
    [
        KEY,
        KEY.rstrip("="),
        f"  {KEY}\n",
        f"{KEY[:40]}\r\n{KEY[40:]}",
        f"{KEY[:76]}\n {KEY[76:]}",
        f"\ufeff{KEY[:10]}\u200b{KEY[10:]}\u00a0",
        f"Basic {KEY}",
        f"basic   {KEY}",
        f"Authorization: Basic {KEY}",
        f"{CLIENT}:{SECRET}",
        f" {CLIENT} : {SECRET} ",
    ],
)
def test_one_key_in_many_forms(pasted: str) -> None:
    assert clean_credentials(pasted, "GIGACHAT_API_KEY") == KEY


def test_what_is_clean_stays_as_it_is() -> None:
    assert clean_credentials(clean_credentials(PAID, "x"), "x") == PAID


def test_the_url_safe_alphabet_is_understood() -> None:
    assert set(PAID) & set("+/")
    assert clean_credentials(PAID.replace("+", "-").replace("/", "_"), "x") == PAID


@pytest.mark.parametrize("client_id", [CLIENT, f" {CLIENT.upper()}\n"])
@pytest.mark.parametrize("secret", [KEY, KEY.rstrip("=")])
def test_a_client_id_beside_a_whole_key_changes_nothing(client_id: str, secret: str) -> None:
    assert clean_credentials(secret, "x", client_id) == KEY


def test_a_client_id_and_a_secret_are_joined() -> None:
    assert clean_credentials(SECRET, "x", CLIENT) == KEY
    assert clean_credentials(f"{SECRET}\n", "x", f" {CLIENT} ") == KEY


def test_the_secret_of_a_paid_tariff_need_not_be_a_uuid() -> None:
    assert clean_credentials("s3cret/with+signs?~~~", "x", CLIENT) == PAID
    assert clean_credentials(PAID, "x") == PAID


@pytest.mark.parametrize("value", [CLIENT, CLIENT.upper(), f" {CLIENT}\n"])
def test_a_lone_uuid_is_told_where_the_key_is(value: str) -> None:
    error = refusal_of(value)
    assert error.kind is ErrorKind.WRONG_KEY
    for named in (
        "client id",
        "GigaChat Studio",
        "API settings",
        "Authorization key",
        "80–100",
        "GIGACHAT_API_KEY",
    ):
        assert named in error.text()


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (f'"{KEY}"', "quotation marks"),
        (f"«{KEY}»", "quotation marks"),
        (KEY.replace("M", "М", 1), "Cyrillic"),
        ("ключ", "Cyrillic"),
        (f"Bearer {KEY}", "access token"),
        ("eyJjdHkiOiJqd3QiLCJlbmMiOiJBMjU2Q0JDLUhTNTEyIn0.abc.def", "access token"),
        (KEY[:-5], "cut off"),
        (KEY[:50], "cut off"),
        (KEY[:61], "cut off"),
        (KEY[:30], "cut off"),
        (f"{CLIENT}:{SECRET[:-1]}", "cut off"),
        ("sk-proj-abcdefghijklmnopqrstuvwxyz", "not one of GigaChat's"),
        ("justsomewords", "not one of GigaChat's"),
        ("user:password", "not one of GigaChat's"),
        (f"{CLIENT}:", "not one of GigaChat's"),
        (f"{CLIENT}:a:b", "not one of GigaChat's"),
        (base64.b64encode(b"no colon in it").decode(), "not one of GigaChat's"),
        (base64.b64encode(bytes(range(200, 255))).decode(), "not one of GigaChat's"),
    ],
)
def test_each_mistake_has_its_own_sentence(value: str, said: str) -> None:
    error = refusal_of(value)
    assert error.kind is ErrorKind.WRONG_KEY
    assert said in error.text()


@pytest.mark.parametrize("cut", range(40, len(KEY) - 3))
def test_wherever_a_key_is_cut_it_is_never_sent(cut: int) -> None:
    assert "cut off" in refusal_of(KEY[:cut]).text()


def test_a_client_id_of_another_project_is_noticed() -> None:
    error = refusal_of(KEY, SECRET)
    assert error.kind is ErrorKind.WRONG_KEY
    assert "GIGACHAT_CLIENT_ID" in error.text()


def test_a_client_id_that_cannot_be_one_is_refused() -> None:
    assert "GIGACHAT_CLIENT_ID" in refusal_of(SECRET, "ключ").text()
    assert "GIGACHAT_CLIENT_ID" in refusal_of(SECRET, "a:b").text()


@pytest.mark.parametrize("value", ["", "  \n", "\u200b"])
def test_nothing_is_no_key(value: str) -> None:
    with pytest.raises(AppError) as caught:
        clean_credentials(value, "GIGACHAT_API_KEY")
    assert caught.value.kind is ErrorKind.NO_KEY


def test_scopes_and_their_streams() -> None:
    assert [streams_allowed(scope) for scope in SCOPES] == [1, 10, 10]
    assert [check_scope(f" {scope} ") for scope in SCOPES] == list(SCOPES)


def test_another_scope_is_told_the_three() -> None:
    with pytest.raises(AppError) as caught:
        check_scope("GIGACHAT_API_FREE")
    assert caught.value.kind is ErrorKind.VALIDATION
    assert all(scope in caught.value.text() for scope in (*SCOPES, "GIGACHAT_API_FREE"))
