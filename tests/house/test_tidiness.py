"""What every file of the house keeps to. Each rule says what to do instead."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from project_files import Source

LINES_MAX = 400
TEST_LINES_MAX = 560
"""Of a test file: tables of cases and stories are long, and one idea all the same."""

LONGER = {"ledger/operations.py": 540, "switch/desk.py": 500}
"""Files of the package that are one idea and longer all the same, each with its own limit."""

GENERATED_CODE = {"codecs/iso8583/compiler.py"}
"""Files that may run source text which they made from our own validated tables."""

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
VAGUE = ("Manager", "Handler", "Processor", "Helper", "Helpers", "Util", "Utils", "Data", "Info")


def calls(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every call by the dotted name it is written with, and its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node.lineno


def test_files_hold_one_idea_each(sources: list[Source]) -> None:
    limits = {source.path: TEST_LINES_MAX if source.room == "tests" else LINES_MAX for source in sources} | LONGER
    long = {source.path: len(source.lines) for source in sources if len(source.lines) > limits[source.path]}
    assert long == {}, "cut the file in two, or name it in LONGER with its limit"


def test_exceptions_from_the_length_are_still_needed(sources: list[Source]) -> None:
    lengths = {source.path: len(source.lines) for source in sources}
    assert [path for path in LONGER if lengths.get(path, 0) <= LINES_MAX] == []


def test_only_the_command_line_and_the_simulators_print(package_sources: list[Source]) -> None:
    prints = [
        f"{source.path}:{line}"
        for source in package_sources
        if source.room != "simulators" and not source.path.startswith("switch/cli/")
        for name, line in calls(source.tree)
        if name in ("print", "sys.stdout.write", "sys.stderr.write", "pprint")
    ]
    assert prints == [], "log it, or return it"


def test_nothing_is_left_to_do_later(texts: dict[str, str]) -> None:
    marks = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|HA" + r"CK)\b")
    assert [path for path, text in texts.items() if marks.search(text)] == []


def test_no_text_names_a_place_on_somebodys_machine(texts: dict[str, str]) -> None:
    places = re.compile(r"(?<![\w.}])/(home|Users|work|root)/\w")
    found = {path: match[0] for path, text in texts.items() if (match := places.search(text))}
    assert found == {}


def test_test_files_are_found_by_pytest(sources: list[Source]) -> None:
    free = ("tests/support/", "tests/benchmarks/", "tests/seeds/")
    strays = [
        source.path
        for source in sources
        if source.room == "tests" and not source.path.startswith(free)
        if not re.fullmatch(r"(test_\w+|conftest)\.py", source.path.rpartition("/")[2])
    ]
    assert strays == []


def test_every_module_of_the_package_says_what_it_is(package_sources: list[Source]) -> None:
    mute = [source.path for source in package_sources if source.tree.body and not ast.get_docstring(source.tree)]
    assert mute == []


def test_public_functions_and_classes_promise_something(package_sources: list[Source]) -> None:
    # Exempt: functions of one statement, which speak for themselves, and protocols, whose uses are their promise.
    mute = [
        f"{source.path}:{node.lineno} {node.name}"
        for source in package_sources
        if source.room in ("codecs", "routing", "ledger", "switch") and "/migrations/" not in source.path
        for node in source.tree.body
        if isinstance(node, DEFINITIONS) and not node.name.startswith("_")
        if not ast.get_docstring(node) and not _speaks_for_itself(node)
    ]
    assert mute == []


def _speaks_for_itself(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
    if isinstance(node, ast.ClassDef):
        return any(ast.unparse(base).rpartition(".")[2] == "Protocol" for base in node.bases)
    return len(node.body) == 1


def test_modules_with_functions_postpone_annotations(sources: list[Source]) -> None:
    strays = [
        source.path
        for source in sources
        if any(isinstance(node, DEFINITIONS) for node in source.tree.body)
        if "from __future__ import annotations" not in source.text
    ]
    assert strays == []


def test_classes_are_not_named_vaguely(package_sources: list[Source]) -> None:
    vague = [
        f"{source.path}:{node.lineno} {node.name}"
        for source in package_sources
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ClassDef) and node.name.endswith(VAGUE)
    ]
    assert vague == [], "name it for what it is"


def test_files_are_not_named_vaguely(package_sources: list[Source]) -> None:
    words = {word.lower() for word in VAGUE}
    assert [s.path for s in package_sources if s.path.rpartition("/")[2].removesuffix(".py") in words] == []


def test_catching_everything_gives_its_reason(package_sources: list[Source]) -> None:
    # `except Exception` may be right at a border (one item of a batch, one link of many); then a comment says why.
    # One that cleans up and raises again swallows nothing.
    silent = []
    for source in package_sources:
        for node in ast.walk(source.tree):
            if isinstance(node, ast.ExceptHandler) and _catches_everything(node):
                near = source.lines[node.lineno - 2 : node.body[0].lineno]
                if not any("#" in line for line in near):
                    silent.append(f"{source.path}:{node.lineno}")
    assert silent == []


def _catches_everything(node: ast.ExceptHandler) -> bool:
    last = node.body[-1]
    if isinstance(last, ast.Raise) and last.exc is None:
        return False
    return node.type is None or (isinstance(node.type, ast.Name) and node.type.id in ("Exception", "BaseException"))


def test_no_input_is_evaluated_or_unpickled(package_sources: list[Source]) -> None:
    strays = [
        f"{source.path}:{line} {name}"
        for source in package_sources
        if source.path not in GENERATED_CODE
        for name, line in calls(source.tree)
        if name in ("eval", "exec", "compile", "builtins.exec", "builtins.eval", "yaml.load")
    ]
    assert strays == []
    assert [s.path for s in package_sources if s.imported & {"pickle", "shelve"}] == []
    # The hash chain writes rows in marshal's format, to hash them; nobody reads it.
    assert [s.path for s in package_sources if "marshal" in s.imported] == ["ledger/chain.py"]
    used = {name for s in package_sources for name, _ in calls(s.tree) if name.startswith("marshal.")}
    assert used == {"marshal.dumps"}


def test_times_are_aware_and_given(package_sources: list[Source]) -> None:
    # A naive "now" is a bug at every change of summer time; and a clock is an argument, so that a test can hold it.
    naive = [
        f"{source.path}:{line} {name}"
        for source in package_sources
        for name, line in calls(source.tree)
        if name.endswith(("datetime.utcnow", "datetime.utcfromtimestamp", "date.today", "datetime.today"))
    ]
    assert naive == []


def test_tests_do_not_sleep_and_do_not_mock(sources: list[Source]) -> None:
    tests = [source for source in sources if source.room == "tests"]
    assert [
        s.path for s in tests if s.imported & {"mock"} or "unittest.mock" in s.text.replace('"unittest.mock"', "")
    ] == []
    naps = [
        f"{source.path}:{line}"
        for source in tests
        if not source.path.startswith(("tests/support/", "tests/benchmarks/"))
        for name, line in calls(source.tree)
        if name in ("time.sleep", "sleep", "asyncio.sleep")
    ]
    assert naps == [], "use twisted.internet.task.Clock, or wait for what is to happen"


def test_tests_are_sentences(sources: list[Source]) -> None:
    short = [
        f"{source.path}:{node.lineno} {node.name}"
        for source in sources
        if source.room == "tests"
        for node in ast.walk(source.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if node.name.startswith("test_") and node.name.count("_") < 3
    ]
    assert short == [], "say what holds, as in test_late_response_does_not_change_the_answer"


def test_every_test_asserts_something(sources: list[Source]) -> None:
    empty = [
        f"{source.path}:{node.lineno} {node.name}"
        for source in sources
        if source.room == "tests" and not source.path.startswith("tests/support/")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
        if not _asserts(node)
    ]
    assert empty == [], "a test that cannot fail is no test"


def _asserts(function: ast.AST) -> bool:
    for node in ast.walk(function):
        if isinstance(node, ast.Assert):
            return True
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func).rpartition(".")[2]
            # A check shared by several tests is a function of that name.
            if name in ("raises", "fail") or name.lstrip("_").startswith(
                ("assert", "check", "expect", "must", "refuse")
            ):
                return True
    return False
