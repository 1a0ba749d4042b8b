"""What the documents name exists."""

import json
import re
from pathlib import Path

import msgspec
import pytest

from conveyor.domain import refusal
from conveyor.domain.drop import AGAIN
from conveyor.domain.outcome import Outcome
from conveyor.domain.status import STATUSES, Status
from conveyor.ledger.fact import BatchFact, Fact, kinds_of
from conveyor.ledger.state import FACT_MODULES
from conveyor.receipt import batch_account, receipt
from conveyor.settings.settings import PER_DROP
from conveyor.settings.tuning import PARAMETER, TUNING, name_of
from conveyor.wording.advice import ADVICE
from docs.generate.pages import PAGES as GENERATED
from tests.support import template

PROJECT = Path(__file__).parents[3]
CORE = PROJECT / "layers" / "conveyor" / "conveyor"
README = (PROJECT / "README.md").read_text()
FIRST_SCREEN = 30
"""Lines."""
MOST_AT_FIRST = 12
"""Parameters."""
PAGES = [
    path.relative_to(PROJECT)
    for folder in (PROJECT, PROJECT / "docs", PROJECT / "docs" / "recipes", PROJECT / "samples")
    for path in sorted(folder.glob("*.md"))
]
FOLDERS = (
    "bench",
    "cli",
    "deployment",
    "docs",
    "events",
    "functions",
    "layers",
    "local",
    "requirements",
    "samples",
    "statemachine",
    "tests",
)
FILES = {
    f"{path.relative_to(PROJECT)}{'/' * path.is_dir()}"
    for path in (*PROJECT.iterdir(), *(path for folder in FOLDERS for path in (PROJECT / folder).rglob("*")))
}
PREFIXES = {"queries", "config", "content", "inbox", "control", "runs", "claims", "index", "results", "failures"}
"""Of keys in the bucket."""
OF_USERS = {"requests.py", "summary.md", "deployments/conveyor.toml", ".github/workflows/"}
TESTS = {name for path in (PROJECT / "tests").rglob("*.py") for name in re.findall(r"def (test_\w+)", path.read_text())}


def test_a_page_has_nothing_left_of_a_merge() -> None:
    """No mark of a conflict, and an empty line before each heading, as where two branches added an entry each."""
    left = re.compile(r"^(<{7} .*|={7}|>{7} .*)$|(?<=\S\n)#{2,4} .*$", re.MULTILINE)
    fences = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
    found = {str(page): left.findall(fences.sub("", (PROJECT / page).read_text())) for page in PAGES}
    assert {page: marks for page, marks in found.items() if marks} == {}


def test_every_test_that_a_guarantee_names_exists() -> None:
    """A guarantee whose test was renamed or removed would have no proof."""
    named = set(re.findall(r"`(test_\w+)`", (PROJECT / "docs" / "guarantees.md").read_text()))
    assert named
    assert named <= TESTS


@pytest.mark.parametrize("name", sorted(GENERATED))
def test_a_generated_page_is_current(name: str) -> None:
    """`make docs` writes it."""
    assert (PROJECT / "docs" / name).read_text() == GENERATED[name]()


def test_the_settings_name_every_parameter() -> None:
    """Every setting can be looked up."""
    settings = (PROJECT / "docs" / "settings.md").read_text()
    names = template.template()["Parameters"].keys() - {PARAMETER} | {name_of(field) for field in TUNING}
    assert [name for name in names if f"| `{name}` |" not in settings] == []
    assert f"## {PARAMETER} " in settings
    assert [name for name in (*PER_DROP, AGAIN) if f"| `{name}` |" not in settings] == []


def test_the_first_table_of_settings_is_short() -> None:
    """It has what a new user may want to set; the form in the console has the same groups."""
    settings = (PROJECT / "docs" / "settings.md").read_text()
    first, *_ = template.template()["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    assert len(first["Parameters"]) <= MOST_AT_FIRST
    _, _, table = settings.partition(f"## {first['Label']['default']}\n")
    rows = re.findall(r"^\| `(\w+)`", table.partition("\n## ")[0], re.MULTILINE)
    assert rows == first["Parameters"]


def test_the_permissions_name_every_statement_and_give_each_a_reason() -> None:
    """A reason without its statement would be outdated."""
    permissions = (PROJECT / "docs" / "permissions.md").read_text()
    reasons = template.template()["Metadata"]["Permissions"]
    asked = {"Tracing": "yes", "KmsKeyArn": "key", "SecretKmsKeyArn": "key"}
    signed = [each for role in template.resources("AWS::IAM::Role") for each in template.statements(role, Auth="aws")]
    keyed = [each for role in template.resources("AWS::IAM::Role") for each in template.statements(role, **asked)]
    policies = template.resources("AWS::IAM::ManagedPolicy").values()
    of_people = [each for policy in policies for each in template.statements_of(policy["PolicyDocument"], **asked)]
    assert {statement["Sid"] for statement in (*signed, *keyed, *of_people)} == reasons.keys()
    assert [reason for reason in reasons.values() if f" {reason} |" not in permissions] == []


@pytest.mark.parametrize("role", sorted(template.resources("AWS::IAM::Role")))
def test_the_permissions_have_each_role_as_a_policy_that_can_be_written_back(role: str) -> None:
    """It is JSON; what is left to the reader is a resource or a parameter, or where the stack is."""
    described = template.resources("AWS::IAM::Role")[role]["Description"].removeprefix("Permissions of ")
    page = (PROJECT / "docs" / "permissions.md").read_text()
    section = page.partition(f"## {described[0].upper()}{described[1:].removesuffix('.')}\n")[2].partition("\n## ")[0]
    texts = re.findall(r"```json\n(.*?)```", section, re.DOTALL)
    written = {each["Sid"]: each for text in texts for each in json.loads(text)["Statement"]}
    asked = {"Tracing": "yes", "KmsKeyArn": "key", "SecretKmsKeyArn": "key"}
    ways: list[dict[str, str]] = [{"Auth": "aws"}, {}, asked]
    needed = {each["Sid"]: each for way in ways for each in template.statements(role, **way)}
    assert {sid: (each["Effect"], each["Action"]) for sid, each in written.items()} == {
        sid: (each["Effect"], each["Action"]) for sid, each in needed.items()
    }
    assert {sid for sid, each in written.items() if "Condition" in each} == {
        sid for sid, each in needed.items() if "Condition" in each
    }
    known = template.template()["Resources"].keys() | template.template()["Parameters"].keys()
    for name in re.findall(r"\$\{([^}]+)\}", "".join(texts)):
        assert name.partition(".")[0] in known or name.startswith(("AWS::", "aws:")), name


def test_operate_names_every_status_of_a_run() -> None:
    """Filters of messages need the complete list, for ended runs and for runs in progress."""
    operate = (PROJECT / "docs" / "operate.md").read_text()
    ended, _, going_on = operate.partition("Its attribute `status` is")[2].partition("While a run goes on")
    told = {
        status: is_final
        for is_final, text in ((True, ended), (False, going_on.partition("\n## ")[0]))
        for status in re.findall(r"^\| `([a-z-]+)` \|", text, re.MULTILINE)
    }
    assert told == {status: about.is_final for status, about in STATUSES.items()}
    assert set(STATUSES) == set(Status)
    assert [status for status, about in STATUSES.items() if f"| `{status}` | {about.means}" not in operate] == []


def test_the_readme_names_every_outcome() -> None:
    """The table gives the advice for each."""
    table = README.partition("| Outcome |")[2].partition("\n\n")[0]
    assert set(re.findall(r"^\| `([a-z]+)`", table, re.MULTILINE)) == set(map(str, Outcome))


def test_the_readme_is_short_and_begins_with_what_a_newcomer_needs() -> None:
    """The glossary is on the first screen, the file formats come before other providers, and every page is linked."""
    assert len(README.split()) <= 1300
    assert "(docs/glossary.md)" in "".join(README.splitlines(keepends=True)[:FIRST_SCREEN])
    order = [README.index(title) for title in ("## One line in", "## One line out", "(docs/providers.md)")]
    assert order == sorted(order)
    assert [path.name for path in (PROJECT / "docs").glob("*.md") if f"(docs/{path.name}" not in README] == []


def test_every_recipe_is_in_the_index() -> None:
    """Readers look there for the page that answers their question."""
    index = (PROJECT / "docs" / "recipes" / "README.md").read_text()
    pages = {path.name for path in (PROJECT / "docs" / "recipes").glob("*.md")} - {"README.md"}
    assert [name for name in pages if f"]({name})" not in index] == []


def test_every_recipe_is_followed_by_a_test() -> None:
    """A page that nobody tries would be wrong soon."""
    found = [path for name in ("test_*recipes*.py", "recipes/test_*.py") for path in (PROJECT / "tests").rglob(name)]
    tests = "".join(path.read_text() for path in found)
    assert [
        path.name for path in (PROJECT / "docs" / "recipes").glob("[a-z]*.md") if f'"{path.name}"' not in tests
    ] == []


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_the_documents_know_no_other_status(page: Path) -> None:
    """Users might filter by a former status that never occurs."""
    named = set(re.findall(r"(?:status|`status`(?: is)?) `([a-z-]+)`", (PROJECT / page).read_text()))
    assert named <= {*map(str, Status), "status"}


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    """It leads to a file of the project and to a heading in it."""
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)#?([^)\s]*)\)", (PROJECT / page).read_text()):
        linked = (PROJECT / page).parent / target if target else PROJECT / page
        assert linked.exists(), target
        assert not anchor or anchor in anchors(linked), f"{target}#{anchor}"


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_path_and_test_that_a_page_names_exists(page: Path) -> None:
    """A path may be relative to the core: `submit/send.py`. Keys of the bucket and users' files do not count."""
    text = (PROJECT / page).read_text()
    paths = set(re.findall(r"`((?:[\w.-]+/)*[\w.-]+\.(?:py|md|yaml|toml|mk|in|asl\.json)|(?:[\w.-]+/)+)`", text))
    ours = {path for path in paths - OF_USERS if path.partition("/")[0] not in PREFIXES}
    assert {path for path in ours if not any(f"/{known}".endswith(f"/{path}") for known in FILES)} == set()
    assert set(re.findall(r"`(test_\w+)`", text)) <= TESTS


def test_the_ledger_is_explained_fact_by_fact() -> None:
    """No row is about a fact that does not exist."""
    _, _, ledger = (PROJECT / "docs" / "how-it-works.md").read_text().partition("## The ledger")
    of_runs = re.findall(r"^ +runs/<run>/([a-z]+)(?:-<\w+>)?\.json ", ledger, re.MULTILINE)
    of_batches = re.findall(r"^ +runs/<run>/batches/<n>/([a-z]+)(?:-<\w+>)?\.json ", ledger, re.MULTILINE)
    ours = {module.__name__ for module in FACT_MODULES}
    kinds = [{word for word, kind in kinds_of(base).items() if kind.__module__ in ours} for base in (Fact, BatchFact)]
    assert [set(of_runs), set(of_batches)] == kinds


@pytest.mark.parametrize("page", ["docs/glossary.md", "CONTRIBUTING.md"])
def test_every_class_that_is_named_exists(page: str) -> None:
    """Parameters look like class names and are excluded."""
    source = "".join(path.read_text() for path in CORE.rglob("*.py"))
    named = set(re.findall(r"`([A-Z][a-z]+(?:[A-Z][a-z]+)*)[`.]", (PROJECT / page).read_text()))
    assert named - template.template()["Parameters"].keys() <= set(re.findall(r"^class (\w+)", source, re.MULTILINE))


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub creates for the headings of a page."""
    titles = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize(
    ("table", "kind"),
    [("# The receipt", receipt.Receipt), ("Of each batch:", batch_account.BatchAccount)],
    ids=["receipt", "batch"],
)
def test_every_field_of_the_receipt_is_explained(table: str, kind: type[msgspec.Struct]) -> None:
    """No other field is explained."""
    _, _, text = (PROJECT / "docs" / "receipt.md").read_text().partition(table)
    rows = [line.split("|")[1] for line in text.split("\n\nOf each")[0].splitlines() if line.startswith("| `")]
    named = [name for row in rows for name in re.findall("`([a-z_]+)`", row)]
    assert sorted(named) == sorted(kind.__struct_fields__)


def test_every_code_of_a_refusal_that_has_advice_is_explained() -> None:
    """So is every cause of failures: users search for these words."""
    text = (PROJECT / "docs" / "receipt.md").read_text()
    source = "".join(path.read_text() for path in CORE.rglob("*.py"))
    of_drops = set(re.findall(r'"(drop-[a-z-]+)"', source))
    assert of_drops
    assert [code for code in {*ADVICE, *refusal.Cause, *of_drops} if f"`{code}`" not in text] == []


def test_every_kind_of_file_is_explained() -> None:
    """Users search for its code."""
    text = (PROJECT / "docs" / "files.md").read_text()
    source = "".join(path.read_text() for path in CORE.rglob("*.py"))
    codes = {*re.findall(r'"(file-(?:is|has)-[a-z0-9-]+)"', source), "file-is-utf16", "file-is-utf32"}
    assert len(codes) > 30
    assert [code for code in codes if f"`{code}`" not in text] == []
    assert set(re.findall(r"`(file-(?:is|has)-[a-z0-9-]+)`", text)) == codes


def test_every_cause_has_words_and_advice() -> None:
    """Each cause has a description and a next step."""
    assert set(refusal.Cause) == set(refusal.CAUSE_TEXTS)
    assert set(refusal.Cause) <= set(ADVICE)
