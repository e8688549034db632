"""The manual page and the help texts say the same, and both read well."""

import re
import subprocess
from pathlib import Path

import pytest

from command import BINARY

PAGE = Path(__file__).parents[2] / "Sources" / "smspipe" / "smspipe.1"
SECTIONS = {
    "send": "SENDING",
    "status": "STATUS",
    "receipts": "RECEIPTS",
    "simulate": "THE SIMULATOR",
    "journal": "THE JOURNAL",
    "explain": "CODES",
}


def help_of(smspipe, *command, columns=80):
    result = smspipe.run(None, *command, "--help", env={"COLUMNS": str(columns)})
    assert (result.status, result.stderr) == (0, "")
    return result.stdout.decode()


def options_of_help(text):
    """The options with their values, and what is said of each, but those that every command has."""
    options, label = {}, None
    for line in text.split("OPTIONS:\n")[1].split("\n\n")[0].splitlines():
        if option := re.match(r"  (-[\w-]+(?:, --[\w-]+)?(?: <\S+>)?)", line):
            label, line = option[1], line[option.end() :]
            options[label] = []
        options[label] += line.split()
    return {label: " ".join(words) for label, words in options.items() if label not in ("--version", "-h, --help")}


def section(name):
    return PAGE.read_text().split(f"\n.Sh {name}\n")[1].split("\n.Sh ")[0]


def items_of_page(text):
    """The tagged items of a section, and what is said of each."""
    items, label = {}, None
    for line in text.splitlines():
        if line.startswith(".It "):
            label = line.removeprefix(".It ")
            items[label] = []
        elif line.startswith(".El"):
            label = None
        elif label is not None:
            items[label] += line.replace(r"\(+-", "±").split()
    return {label: " ".join(words) for label, words in items.items()}


def options_of_page(name):
    options = {}
    for label, text in items_of_page(section(name)).items():
        if label.startswith("Fl "):
            names = re.findall(r"Fl (\S+)", label)
            value = re.search(r" Ar (\S+)$", label)
            options[", ".join(f"-{name}" for name in names) + (f" <{value[1]}>" if value else "")] = text
    return options


@pytest.mark.parametrize("command", SECTIONS)
def test_the_page_has_the_options_of_the_help_in_its_words(smspipe, command):
    options = options_of_help(help_of(smspipe, command))
    assert options and options_of_page(SECTIONS[command]) == options


def test_the_page_has_all_commands(smspipe):
    commands = re.findall(r"^  (\w+)(?: \(default\))?  +\S", help_of(smspipe, "help").split("SUBCOMMANDS:\n")[1], re.M)
    assert sorted(commands) == sorted(SECTIONS)
    assert re.findall(r"^\.(?:Cm|Op Cm) (\w+)$", section("SYNOPSIS"), re.M) == list(SECTIONS)


def test_the_help_of_the_filter_names_the_other_commands(smspipe):
    named = re.findall(r"^smspipe (\w+)\b.*  +\S", help_of(smspipe), re.M)
    assert sorted(named) == sorted(set(SECTIONS) - {"send"})


def test_the_page_has_the_exit_statuses_of_the_help(smspipe):
    statuses = help_of(smspipe).split("Exit status:\n")[1].split("\n\n")[0].splitlines()
    expected = dict(re.split(r"   +", line, maxsplit=1) for line in statuses)
    assert items_of_page(section("EXIT STATUS")) == expected


# What takes any text, so that nothing is told of "a b".
FREE = {"account", "ca-file", "faults-file", "journal", "profile", "queue", "sign-name", "template-code", "urgent"}
NEEDED = {"journal": ["x"], "explain": ["OK"], "receipts": ["--queue", "Alicom-Queue-1-SmsReport"]}


@pytest.mark.parametrize("command", SECTIONS)
def test_every_option_of_the_help_has_its_variable(smspipe, command):
    """Nonsense in the variable is told as it is in the option; a flag is on or off."""
    for label in options_of_help(help_of(smspipe, command)):
        option = re.search(r"--([\w-]+)", label)[1]
        if option in FREE:
            continue
        arguments = [command, *NEEDED.get(command, [])]
        variable = "SMSPIPE_" + option.upper().replace("-", "_")
        by_variable = smspipe.run(None, *arguments, stdin="", env={variable: "a b"})
        if label.endswith(">"):
            by_option = smspipe.run(None, *arguments, f"--{option}=a b", stdin="")
            assert by_variable.status == by_option.status and by_variable.status in (64, 69, 78), option
            assert by_variable.stderr.startswith(by_option.stderr), option
        else:
            assert by_variable.status == 64 and f"{variable} is neither on nor off" in by_variable.stderr


@pytest.mark.parametrize("command", SECTIONS)
def test_what_the_help_tells_fits_its_width(smspipe, command):
    """A line that is too long is broken, and its last word stands alone."""
    narrow, wide = (
        help_of(smspipe, command, columns=columns).split("\n\n", 1)[1].split("USAGE:")[0] for columns in (80, 200)
    )
    assert narrow == wide


def test_the_page_is_set_without_warnings():
    result = subprocess.run(
        ["groff", "-mdoc", "-Tutf8", "-Kutf8", "-ww", "-P-cbou", PAGE], capture_output=True, text=True, timeout=30
    )
    assert (result.returncode, result.stderr) == (0, "")
    for word in ("--batch-size batch-size", "EXIT STATUS", "(default: 100ms)", "50ms±20ms"):
        assert word in re.sub(r"\s+", " ", result.stdout)


def test_the_first_example_of_the_page_works():
    example = section("EXAMPLES").split(".Bd -literal -offset indent\n")[1].split("\n.Ed")[0]
    bash = subprocess.run(
        ["bash", "-c", example.replace("smspipe", str(BINARY)).replace("jq .", "cat")],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert bash.returncode == 0 and '"Outcome":"accepted"' in bash.stdout
