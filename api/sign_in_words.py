"""What the pages of signing in say, in the reader's language."""

from core.i18n import N_, translate

_WORDS = {
    "sign_in": N_("Sign in"),
    "sign_out": N_("Sign out"),
    "create": N_("Create an account"),
    "create_first": N_("Create the first account"),
    "create_button": N_("Create account"),
    "email": N_("E-mail address"),
    "username": N_("Your name"),
    "password": N_("Password"),
    "password_hint": N_("At least 8 characters; a few words are best."),
    "first_hint": N_(
        "Nobody has an account here yet. The first one is the administrator’s, and keeps what was done in this hub "
        "without a sign-in."
    ),
    "nobody": N_(
        "Nobody has an account here yet, and sign-up is closed. Whoever runs this hub makes one with "
        "python -m core.accounts.people add."
    ),
    "have_account": N_("You have an account?"),
    "no_account": N_("No account yet?"),
    "signed_in_as": N_("You are signed in as"),
    "back": N_("Back to AIHub"),
    "lead": N_("Any AI provider, and what every answer costs."),
}


def words(language: str) -> dict[str, str]:
    """Every word of these pages by its name."""
    return {name: translate(language, text) for name, text in _WORDS.items()}
