"""Profiles: which place wins, where each value came from, and what is refused with its line."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from drmkit.config import FIELDS, Profile, Setting, default_config_path, load_profile, state_folder
from drmkit.errors import ConfigurationError
from drmkit.secret import MASK, Secret

CANARY = "cAnArY"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The path of a private configuration file, not written yet."""
    path = tmp_path / "config.toml"
    path.touch(0o600)
    return path


def load(config: Path, text: str = "", *, environ: Mapping[str, str] | None = None, **options: Any) -> Profile:
    """Load a profile from this text, this environment and these options."""
    config.write_text(text, encoding="utf-8")
    name = options.pop("name", None)
    return load_profile(path=config, name=name, environ=environ or {}, options=options.pop("options", None))


def refused(config: Path, text: str, reason: str, **more: Any) -> ConfigurationError:
    """Assert that this text is refused for this reason, without being quoted, and return the error."""
    with pytest.raises(ConfigurationError, match=reason) as caught:
        load(config, text, **more)
    assert CANARY not in "".join(traceback.format_exception(caught.value))
    assert not hasattr(caught.value.__context__, "doc")
    assert not isinstance(caught.value.__context__, ValueError)
    return caught.value


def test_options_win_over_the_environment_over_the_file(config: Path) -> None:
    """Each place overrides the one below, value by value, and every value tells where it came from."""
    profile = load(
        config,
        '[profile.a]\nusername = "file"\norganization = "file"\ncpix_config = "file"\n',
        environ={"DRMTODAY_USERNAME": "environment", "DRMTODAY_ORGANIZATION": "environment"},
        options={"username": "option", "asset_id": None},
    )
    assert profile.name == "a"
    assert {name: (setting.value, setting.origin) for name, setting in profile.settings.items()} == {
        "cpix_config": ("file", str(config)),
        "organization": ("environment", "environment (DRMTODAY_ORGANIZATION)"),
        "username": ("option", "command line"),
    }


@pytest.mark.parametrize(
    ("name", "variable"), [(name, field.variable) for name, field in FIELDS.items() if field.variable]
)
def test_every_variable_sets_its_setting(config: Path, name: str, variable: str) -> None:
    """Each documented environment variable overrides its setting; an empty one counts as not set."""
    setting = load(config, environ={variable: "value"}).settings[name]
    assert setting.origin == f"environment ({variable})"
    value = setting.value
    assert (value.reveal() if isinstance(value, Secret) else value) == "value"
    assert isinstance(value, Secret) == FIELDS[name].secret
    assert load(config, environ={variable: ""}).settings == {}


GROUPS = [
    ({"password_file": "f"}, {"DRMTODAY_PASSWORD": "e"}, {}, {"password"}),
    ({"password_command": ["c"]}, {"DRMTODAY_PASSWORD_FILE": "e"}, {}, {"password_file"}),
    ({"password_file": "f"}, {"DRMTODAY_PASSWORD": "e"}, {"password_file": "o"}, {"password_file"}),
    (
        {"environment": "staging"},
        {"DRMTODAY_AUTH_URL": "a", "DRMTODAY_FRONTEND_URL": "f"},
        {},
        {"auth_url", "frontend_url"},
    ),
    ({"auth_url": "a", "frontend_url": "f"}, {"DRMTODAY_ENVIRONMENT": "staging"}, {}, {"environment"}),
    ({"auth_url": "a", "frontend_url": "f"}, {}, {"environment": "staging"}, {"environment"}),
    ({"auth_url": "a"}, {"DRMTODAY_FRONTEND_URL": "f"}, {}, {"frontend_url"}),
]


@pytest.mark.parametrize(("table", "environ", "options", "left"), GROUPS)
def test_settings_of_one_group_come_from_one_place(
    config: Path, table: dict[str, Any], environ: dict[str, str], options: dict[str, Any], left: set[str]
) -> None:
    """The strongest place that states how to get the password, or which hosts, states all of it."""
    rows = "".join(f"{name} = {value!r}\n" for name, value in table.items())
    profile = load(config, f"[profile.a]\n{rows}", environ=environ, options=options)
    assert set(profile.settings) == left


def test_secret_keys_are_a_group_of_their_own(config: Path) -> None:
    """A secret key of the environment replaces the file's key file, and leaves the password alone."""
    text = '[profile.a]\npassword_file = "p"\n[profile.a.mps]\nsecret_key_file = "k"\nregion = "r"\n'
    profile = load(config, text, environ={"TENCENTCLOUD_SECRET_KEY": "e"})
    assert set(profile.settings) == {"password_file", "mps.secret_key", "mps.region"}


@pytest.mark.parametrize(
    ("rows", "environ", "reason"),
    [
        ('password = "cAnArY"\npassword_file = "f"', {}, "password and password_file are both set in .*config.toml"),
        ('password_file = "f"\npassword_command = ["c"]', {}, "password_file and password_command are both set"),
        (
            "",
            {"DRMTODAY_PASSWORD": CANARY, "DRMTODAY_PASSWORD_FILE": "f"},
            "password and password_file are both set in env",
        ),
        ('mps.secret_key = "cAnArY"\nmps.secret_key_file = "f"', {}, "mps.secret_key and mps.secret_key_file are both"),
    ],
)
def test_two_sources_of_one_secret_in_one_place_are_refused(
    config: Path, rows: str, environ: dict[str, str], reason: str
) -> None:
    """A place that states a secret twice contradicts itself."""
    assert refused(config, f"[profile.a]\n{rows}\n", reason, environ=environ).hint == "keep one of them"


UNKNOWN = [
    ('[profile.a]\nusername = "u"\nuser = "x"', 3, "'user' in .profile.a.", "'username'"),
    (
        '[profile.b]\nusernam = "u"\n\n[profile.a]\n# usernam\n  usernam = "x"',
        6,
        "'usernam' in .profile.a.",
        "'username'",
    ),
    ('[profile.a]\n"usernam" = "x"', 2, "'usernam' in .profile.a.", "'username'"),
    ('[profile.a.mps]\nregoin = "x"', 2, "'regoin' in .profile.a.mps.", "'region'"),
    ('[profile.a]\nmps.regoin = "x"', 2, "'regoin' in .profile.a.mps.", "'region'"),
    ('profile.a.usernam = "x"', 1, "'usernam' in .profile.a.", "'username'"),
    ('[profile.a]\nmps = {regoin = "x"}', None, "'regoin' in .profile.a.mps.", "'region'"),
    ('[profile.a]\n[profile.a.mpss]\nregion = "x"', 2, "'mpss' in .profile.a.", "'mps'"),
    ('[ profil . "a" ]\nusername = "u"', 1, "'profil' at the top", "'profile'"),
    ('[[profil]]\nusername = "u"', 1, "'profil' at the top", "'profile'"),
    ("\nversion = 1\n[profile.a]", 2, "'version' at the top", "known keys are profile"),
    ("[profile.a]\nzzz = 1", 2, "'zzz' in .profile.a.", "known keys are asset_id, attempts, auth_url"),
]


@pytest.mark.parametrize(("text", "line", "reason", "hint"), UNKNOWN)
def test_an_unknown_key_is_told_with_its_line_and_the_nearest(
    config: Path, text: str, line: int | None, reason: str, hint: str
) -> None:
    """The line is that of the key itself, not of a longer name or another profile's, and the hint is a known name."""
    place = f"config.toml, line {line}: " if line else "config.toml: "
    error = refused(config, text, f"{place}unknown key {reason}", name="a" if "[profile.a" in text else None)
    assert hint in str(error.hint)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("username = 7", "username must be a text in UTF-8 that is not empty"),
        ('username = ""', "username must be a text"),
        ("password = true", "password must be a text"),
        ('password_command = [1, "cAnArY"]', "password_command must be a list of strings"),
        ("password_command = []", "password_command must be a list of strings"),
        ('query = "x-signaling-alg=cenc"', "query must be a table of texts"),
        ("query = {a = 1}", "query must be a table of texts"),
        ('ticket_lifetime = "six hours"', "ticket_lifetime must be a length of time"),
        ('ticket_lifetime = "-6h"', "ticket_lifetime must be a length of time"),
        ("ticket_lifetime = 0", "ticket_lifetime must be a length of time"),
        ("ticket_lifetime = true", "ticket_lifetime must be a length of time"),
        ("ticket_lifetime = nan", "ticket_lifetime must be a length of time"),
        ("ticket_lifetime = inf", "ticket_lifetime must be a length of time"),
        ("ticket_lifetime = 1000000000", "ticket_lifetime must be a length of time"),
        ("attempts = 0", "attempts must be a whole number from 1 to 100"),
        ("attempts = 101", "attempts must be a whole number"),
        ("attempts = 2.0", "attempts must be a whole number"),
        ("attempts = true", "attempts must be a whole number"),
    ],
)
def test_a_value_of_the_wrong_type_is_told_with_its_place(config: Path, row: str, reason: str) -> None:
    """The file, the section, the setting and what it may be; never the value."""
    refused(config, f"[profile.a]\n{row}\n", rf"config.toml, \[profile.a\]: {reason}")


def test_values_of_the_right_types_are_taken(config: Path) -> None:
    """The benign twins: durations in every unit, tables, commands, counts."""
    text = """
        [profile.a]
        password_command = ["pass", "show", "x"]
        query = {x-signaling-alg = "cenc", empty = ""}
        ticket_lifetime = "6h"
        renew_after = "1.5d"
        timeout = 0.5
        attempts = 100
        [profile.a.mps]
        region = "ap-singapore"
    """
    profile = load(config, text)
    assert {name: setting.value for name, setting in profile.settings.items()} == {
        "password_command": ["pass", "show", "x"],
        "query": {"x-signaling-alg": "cenc", "empty": ""},
        "ticket_lifetime": timedelta(hours=6),
        "renew_after": timedelta(days=1.5),
        "timeout": timedelta(seconds=0.5),
        "attempts": 100,
        "mps.region": "ap-singapore",
    }
    assert load(config, '[profile.a]\ntimeout = " 90 s "\npassword_command = "pass x"\n').settings.keys() == {
        "timeout",
        "password_command",
    }


@pytest.mark.parametrize(("text", "seconds"), [("30", 30), ("90s", 90), ("2m", 120), ("6h", 21600), ("1d", 86400)])
def test_durations_have_units(config: Path, text: str, seconds: int) -> None:
    """A number is seconds; s, m, h and d are the units."""
    assert load(config, f'[profile.a]\nticket_lifetime = "{text}"').get("ticket_lifetime").total_seconds() == seconds


@pytest.mark.parametrize(
    ("row", "bad_mode"),
    [
        ('password = "cAnArY"', True),
        ('mps.secret_key = "cAnArY"', True),
        ('mps.token = "x"', True),
        ('username = "u"', False),
    ],
)
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o602])
def test_a_file_with_a_secret_must_be_private(config: Path, row: str, bad_mode: bool, mode: int) -> None:
    """A secret in a file that others can read is refused; without a secret the file may be public."""
    config.chmod(mode)
    if bad_mode:
        refused(config, f"[profile.a]\n{row}\n", rf"holds a secret and is open to other users \(mode {mode:04o}\)")
        config.chmod(0o600)
    assert len(load(config, f"[profile.a]\n{row}\n").settings) == 1


def test_a_secret_of_another_profile_does_not_matter(config: Path) -> None:
    """Only the profile in use is looked at: its own secrets decide about the permissions."""
    config.chmod(0o644)
    text = '[profile.a]\nusername = "u"\n[profile.b]\npassword = "cAnArY"\n'
    assert load(config, text, name="a").get("username") == "u"
    refused(config, text, "open to other users", name="b")


BROKEN = {
    "no quotes": "[profile.a]\npassword = cAnArY\n",
    "an open string": '[profile.a]\npassword = "cAnArY\n',
    "a key twice": '[profile.a]\npassword = "cAnArY"\npassword = "cAnArY"\n',
    "a bad date": "[profile.a]\nissued = 2026-13-45T00:00:00Z # cAnArY\n",
    "a huge number": f"[profile.a]\nattempts = {'9' * 5000} # cAnArY\n",
    "endless nesting": "x = " + "[" * 100_000 + '"cAnArY"',
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=list(BROKEN))
def test_a_file_that_is_no_toml_is_refused_without_being_quoted(config: Path, text: str) -> None:
    """The place is told where the parser tells it; the line is not shown, since it may hold a secret."""
    error = refused(config, text, f"the configuration file {config} is not valid TOML")
    assert "not shown" in str(error.hint)


def test_the_place_of_a_toml_error_is_told(config: Path) -> None:
    """Line and column come from the parser."""
    refused(config, BROKEN["no quotes"], r"is not valid TOML \(at line 2, column 12\)$")


def test_a_byte_order_mark_and_windows_line_ends_are_fine(config: Path) -> None:
    """A file saved by a Windows editor is the same configuration."""
    config.write_bytes(b'\xef\xbb\xbf[profile.a]\r\nusername = "u"\r\n')
    assert load_profile(path=config, environ={}).get("username") == "u"


def test_a_file_of_other_bytes_is_refused(config: Path) -> None:
    """Latin-1 is not UTF-8: told, and neither shown nor kept."""
    config.write_bytes(b'[profile.a]\npassword = "cAnArY\xfc"\n')
    with pytest.raises(ConfigurationError, match="it is not UTF-8 text") as caught:
        load_profile(path=config, environ={})
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("text", "name", "environ", "chosen"),
    [
        ("", None, {}, "default"),
        ("[profile.only]", None, {}, "only"),
        ("[profile.a]\n[profile.default]", None, {}, "default"),
        ("[profile.a]\n[profile.b]", "b", {}, "b"),
        ("[profile.a]\n[profile.b]", None, {"DRMKIT_PROFILE": "b"}, "b"),
        ("[profile.a]\n[profile.b]", "a", {"DRMKIT_PROFILE": "b"}, "a"),
    ],
)
def test_the_profile_is_chosen(config: Path, text: str, name: str | None, environ: dict[str, str], chosen: str) -> None:
    """The one that is named, by option or by the environment; else `default`; else the only one."""
    assert load(config, text, name=name, environ=environ).name == chosen


@pytest.mark.parametrize(
    ("text", "name", "reason", "hint"),
    [
        ("[profile.b]\n[profile.a]", None, "holds several profiles: a, b", "--profile"),
        ("[profile.acme]", "acne", "holds no profile 'acne'", "did you mean 'acme'?"),
        ("[profile.acme]", "zzz", "holds no profile 'zzz'", "check the name after --profile"),
        ("", "acme", "holds no profile 'acme'", "check the name"),
        ("profile = 1", None, "profiles are tables", r"[profile.NAME]"),
        ("[profile]\na = 1", None, "profiles are tables", r"[profile.NAME]"),
        ("[profile.a]\nmps = 1", None, "mps is a table", "[profile.a.mps]"),
    ],
)
def test_a_profile_that_cannot_be_chosen_is_told(
    config: Path, text: str, name: str | None, reason: str, hint: str
) -> None:
    """Several without a choice, an unknown name and a value in place of a table each have their own message."""
    assert hint in str(refused(config, text, reason, name=name).hint)


def test_no_file_is_fine_unless_one_is_named(tmp_path: Path) -> None:
    """The usual place may be empty; a file or a profile that was asked for must be there."""
    home = {"HOME": str(tmp_path)}
    assert load_profile(environ={**home, "DRMTODAY_USERNAME": "u"}).name == "environment"
    for environ in ({**home, "DRMKIT_PROFILE": "a"}, {**home, "DRMKIT_CONFIG": str(tmp_path / "missing.toml")}):
        with pytest.raises(ConfigurationError, match="there is no configuration file"):
            load_profile(environ=environ)
    with pytest.raises(ConfigurationError, match="there is no configuration file"):
        load_profile(path=tmp_path / "missing.toml", environ=home)
    with pytest.raises(ConfigurationError, match=r"cannot be read \(Is a directory\)"):
        load_profile(path=tmp_path, environ=home)


def test_the_file_of_the_environment_is_read(config: Path) -> None:
    """`DRMKIT_CONFIG` names the file; an option wins over it."""
    config.write_text('[profile.a]\nusername = "u"\n', encoding="utf-8")
    assert load_profile(environ={"DRMKIT_CONFIG": str(config)}).get("username") == "u"
    with pytest.raises(ConfigurationError, match="there is no configuration file"):
        load_profile(path=config.with_name("other.toml"), environ={"DRMKIT_CONFIG": str(config)})


@pytest.mark.parametrize(
    ("environ", "config_path", "state"),
    [
        ({"HOME": "/h"}, "/h/.config", "/h/.local/state"),
        ({"HOME": "/h", "XDG_CONFIG_HOME": "/c", "XDG_STATE_HOME": "/s"}, "/c", "/s"),
        ({"HOME": "/h", "XDG_CONFIG_HOME": "c", "XDG_STATE_HOME": ""}, "/h/.config", "/h/.local/state"),
        ({"HOME": "~no-such-user-here"}, "/.config", "/.local/state"),
    ],
)
def test_folders_follow_the_xdg_specification(environ: dict[str, str], config_path: str, state: str) -> None:
    """Absolute XDG folders count, relative ones are ignored, and a user without a home is no crash."""
    assert default_config_path(environ) == Path(config_path) / "drmkit" / "config.toml"
    assert state_folder(environ) == Path(state) / "drmkit"


def test_without_home_the_users_own_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that names no home, as under some schedulers, means the user's."""
    monkeypatch.setenv("HOME", str(tmp_path))
    assert state_folder({}) == tmp_path / ".local" / "state" / "drmkit"


def test_line_ends_of_variables_are_cut(config: Path) -> None:
    """A file of variables with Windows line ends leaves a carriage return at the end of each: no part of a value."""
    profile = load(
        config, environ={"DRMTODAY_PASSWORD": "cAnArY\r", "DRMTODAY_USERNAME": "u\r\n", "DRMTODAY_ASSET_ID": "\r"}
    )
    assert profile.secret("password").reveal() == CANARY
    assert profile.get("username") == "u"
    assert profile.get("asset_id") is None


def test_bytes_that_are_no_text_are_refused(config: Path) -> None:
    """A password in another encoding comes as surrogates, which no request can carry: told, not shown."""
    refused(
        config, "", "DRMTODAY_PASSWORD: password must be a text in UTF-8", environ={"DRMTODAY_PASSWORD": "cAnArY\udcfc"}
    )
    assert load(config, environ={"DRMTODAY_PASSWORD": "ü🔑"}).secret("password").reveal() == "ü🔑"


def test_an_unknown_option_is_refused(config: Path) -> None:
    """A caller who misspells a setting is told the nearest."""
    error = refused(config, "", "the command line: there is no setting 'usernam'", options={"usernam": "x"})
    assert error.hint == "did you mean 'username'?"


def test_secrets_are_wrapped_and_masked(config: Path) -> None:
    """A profile shows no secret, whichever way it is shown; `shown` is fit for a screen."""
    text = '[profile.a]\npassword = "cAnArY"\nticket_lifetime = "6h"\nattempts = 2\nmps.token = "cAnArY"\n'
    profile = load(config, text)
    assert CANARY not in repr(profile)
    assert CANARY not in str(profile.settings)
    assert profile.get("password") == Secret(CANARY)
    assert {name: setting.shown for name, setting in profile.settings.items()} == {
        "password": MASK,
        "ticket_lifetime": "21600 s",
        "attempts": "2",
        "mps.token": MASK,
    }
    assert Setting("x", "somewhere").shown == "x"


@pytest.mark.parametrize(
    ("names", "reason", "section", "variables"),
    [
        (["username"], "^username is not set$", "[profile.acme] ", ": DRMTODAY_USERNAME"),
        (["mps.region"], "^mps.region is not set$", "[profile.acme.mps] ", ": TENCENTCLOUD_REGION"),
        (["renew_after"], "^renew_after is not set$", "[profile.acme] ", None),
        (
            ["username", "output", "organization"],
            "^username, organization are not set$",
            "[profile.acme] ",
            "_ORGANIZATION",
        ),
    ],
)
def test_missing_settings_name_the_ways_to_set_them(
    config: Path, names: list[str], reason: str, section: str, variables: str | None
) -> None:
    """All that are missing are named at once, with their section and with their variables, where there are any."""
    profile = load(config, '[profile.acme]\noutput = "o"\n')
    with pytest.raises(ConfigurationError, match=reason) as caught:
        profile.require_all(*names)
    hint = str(caught.value.hint)
    assert section in hint
    assert (variables in hint) if variables else "environment" not in hint
    assert profile.require("output") == "o"
    profile.require_all("output")


def test_without_a_file_the_default_profile_is_the_place_to_set_things(tmp_path: Path) -> None:
    """Where no file names a profile, the hint names the one that a new file would have."""
    with pytest.raises(ConfigurationError, match="username is not set") as caught:
        load_profile(environ={"HOME": str(tmp_path)}).require("username")
    assert "[profile.default]" in str(caught.value.hint)


def test_a_secret_comes_from_its_source(config: Path, tmp_path: Path) -> None:
    """The value itself, its file, its command, and last a person who is asked by the account's name."""
    file = tmp_path / "secret"
    file.write_text("from file\n", encoding="utf-8")
    file.chmod(0o600)
    asked: list[str] = []

    def prompt(text: str) -> str:
        asked.append(text)
        return "typed"

    rows = {
        'password = "stated"': "stated",
        f'password_file = "{file}"': "from file",
        'password_command = ["echo", "from command"]': "from command",
        'username = "u"': "typed",
        "": "typed",
    }
    for row, expected in rows.items():
        assert load(config, f"[profile.a]\n{row}\n").secret("password", prompt=prompt).reveal() == expected
    assert asked == ["password for u", "password for a"]
    profile = load(config, f'[profile.a.mps]\nsecret_key_file = "{file}"\n')
    assert profile.secret("mps.secret_key").reveal() == "from file"


@pytest.mark.parametrize("prompt", [None, lambda _: ""])
def test_a_secret_that_nobody_gives_is_not_set(config: Path, prompt: Any) -> None:
    """Without a source, and with nobody to ask or an empty answer, the setting is missing: none is sent."""
    with pytest.raises(ConfigurationError, match="password is not set"):
        load(config, "[profile.a]").secret("password", prompt=prompt)
    with pytest.raises(ConfigurationError, match="mps.secret_key is not set"):
        load(config, "[profile.a]").secret("mps.secret_key", prompt=prompt)


def test_the_shared_secret_of_tokens(config: Path, tmp_path: Path) -> None:
    """The table `token` has a secret of its own: from a command, the environment or a file, never two at once."""
    text = '[profile.a.token]\nkid = "k"\nsecret_command = ["echo", "00ff"]\nlifetime = "90s"\n'
    profile = load(config, text)
    assert (profile.get("token.kid"), profile.get("token.lifetime")) == ("k", timedelta(seconds=90))
    assert profile.secret("token.secret").reveal() == "00ff"
    stronger = load(config, text, environ={"DRMTODAY_TOKEN_SECRET": CANARY})
    assert stronger.settings["token.secret"].shown == MASK
    assert stronger.get("token.secret_command") is None
    both = '[profile.a.token]\nsecret = "cAnArY"\nsecret_file = "f"\n'
    refused(config, both, "token.secret and token.secret_file are both set")
    refused(config, '[profile.a.token]\nsecrt = "x"', "'secrt' in .profile.a.token.")
    with pytest.raises(ConfigurationError, match="token.secret is not set"):
        load(config, "[profile.a]").secret("token.secret")
