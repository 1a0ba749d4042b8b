"""What `conveyor drop` says of a file is what the stack says of it once it is uploaded."""

from pathlib import Path

import pytest

from conveyor import __version__
from conveyor.domain.findings import findings_of
from conveyor.domain.plan import decode_plan
from conveyor.file_types.conversion import conversion_of
from conveyor.ledger.ledger import Ledger
from conveyor.ledger.run_facts import Refusal
from conveyor.settings.settings import FIELDS, parameter_of
from conveyor.settings.tuning import TUNING, name_of
from conveyor_cli.drops.check import CheckedFile, check
from conveyor_cli.drops.deployed import settings_of
from conveyor_cli.drops.options import Options
from conveyor_cli.stacks.chosen import ChosenStack
from conveyor_cli.stacks.profiles import Profile
from conveyor_cli.trouble import Trouble
from tests.support.belt import Belt, drop_of, request
from tests.support.memory_aws.stacks import stack_id
from tests.support.settings import STACK_SETTINGS, template_parameters, written_environment
from tests.support.template import template
from tests.support.wrong_files import CONVERTED, RECOGNISED

WRONG = {name: data for name, (_, data) in CONVERTED.items()} | {
    name: data for name, (_, data, _) in RECOGNISED.items()
}
FAULTY = {
    "empty": b"",
    "blank lines": b"\n\n \n",
    "no JSON": b"{\n" + drop_of(2),
    "twice the same id": drop_of(2) + drop_of(1),
    "no id": b'{"params": {}}\n' + drop_of(3),
    "no max_tokens": request("a", max_tokens=None) + b"\n",
    "streams": request("a", stream=True) + b"\n" + drop_of(4),
    "mostly invalid": request("a", max_tokens=0) + b"\n" + request("b", model=7) + b"\n" + request("c") + b"\n",
    "no model": request("a", model=None) + b"\n" + drop_of(2),
    "too many": drop_of(12),
}
OPTIONS = {
    "skip": Options(on_invalid="skip"),
    "no default": Options(default_max_tokens=0),
    "betas": Options(betas="output-300k-2026-03-24"),
    "a project": Options(project="team-a"),
    "hold": Options(hold=True, probe=True),
}


def stack_of(belt: Belt) -> ChosenStack:
    """Return the stack of the belt, as the command finds it."""
    told = template_parameters(MaxRequestsPerDrop="10")
    outputs = {"BucketName": belt.bucket}
    profile = Profile("conveyor", "us-east-1", "0", outputs, told, stack_id("conveyor"))
    return ChosenStack(profile, belt.clients.bucket)


@pytest.fixture
def stack_settings() -> dict[str, str]:
    """Return the settings of a stack that takes few requests."""
    return STACK_SETTINGS | {"MAX_REQUESTS_PER_DROP": "10"}


def here_and_there(belt: Belt, tmp_path: Path, data: bytes, options: Options, name: str) -> tuple[CheckedFile, str]:
    """Check a file at the desk, then have the stack validate it; return the run, too."""
    path = tmp_path / name
    path.write_bytes(data)
    here = check(stack_of(belt), path, options)
    return here, belt.upload(data, here.run.drop.key, options.metadata())


def assert_same(belt: Belt, here: CheckedFile, run: str) -> None:
    """Both refuse with the same words and the same faults, or both have the same plan."""
    ledger = Ledger(belt.clients.bucket, run)
    if here.reason is None:
        plan = decode_plan(belt.read(f"runs/{run}/plan.jsonl"))
        ours, theirs = here.drop, plan.drop
        assert ours is not None
        assert (ours.lines, ours.sha256, ours.findings, ours.estimate) == (
            theirs.lines, theirs.sha256, theirs.findings, theirs.estimate,
        )  # fmt: skip
        assert (ours.probe and ours.probe.requests) == (theirs.probe and theirs.probe.requests)
        return
    refusal = ledger.read(Refusal)
    assert here.reason == (refusal.code, refusal.message)
    assert findings_of(here.faults) == refusal.findings
    of = here.checked.file_type
    assert (of and conversion_of(of, here.run.drop.key, here.file.layers)) == refusal.conversion


@pytest.mark.parametrize("name", sorted(WRONG))
def test_a_wrong_file_is_refused_in_the_words_of_the_stack(belt: Belt, tmp_path: Path, name: str) -> None:
    """With the same command that converts it."""
    here, run = here_and_there(belt, tmp_path, WRONG[name], Options(), "tickets.jsonl")
    assert here.reason
    assert_same(belt, here, run)


@pytest.mark.parametrize("options", ["", *sorted(OPTIONS)])
@pytest.mark.parametrize("name", [*sorted(FAULTY), "good"])
def test_lines_are_judged_as_the_stack_judges_them(belt: Belt, tmp_path: Path, name: str, options: str) -> None:
    """With all settings that a drop can have."""
    data = FAULTY.get(name, drop_of(5))
    assert_same(belt, *here_and_there(belt, tmp_path, data, OPTIONS.get(options, Options()), "tickets.jsonl"))


@pytest.mark.parametrize("name", ["tickets.txt", "tickets", "tickets.csv.gz", "Tickets 2026.11.dat", "großes Ä.jsonl"])
def test_a_name_that_the_stack_would_refuse_gets_a_suffix(belt: Belt, tmp_path: Path, name: str) -> None:
    """A good file is dropped whatever it is called."""
    here, run = here_and_there(belt, tmp_path, drop_of(2), Options(), name)
    assert here.reason is None
    assert here.run.drop.key.startswith("inbox/")
    assert_same(belt, here, run)


def test_every_setting_with_a_parameter_is_read_from_it() -> None:
    """Each differs from its default here, so one that is not read would be seen."""
    written, known = written_environment("Submit"), template()["Parameters"]
    fields = set(FIELDS) - TUNING.keys()
    assert not any(known[parameter_of(field)].get("NoEcho") for field in fields)
    for field in fields - {"api_url"}:
        assert written[f"CONVEYOR_{field.upper()}"] == {"Ref": parameter_of(field)}, field
        parameter = known[parameter_of(field)]
        other = _another(parameter)
        told = template_parameters() | {parameter_of(field): other}
        settings = settings_of(Profile("conveyor", "eu-central-1", "0", {}, told))
        assert str(getattr(settings, field)).removesuffix(".0") == other, field


@pytest.mark.parametrize("field", sorted(TUNING.keys() - {"poll_min_seconds"}))
def test_every_number_of_tuning_is_read(field: str) -> None:
    """By the code of the functions."""
    told = template_parameters(Tuning=f"{name_of(field)}={TUNING[field].most}")
    assert getattr(settings_of(Profile("conveyor", "eu-central-1", "0", {}, told)), field) == TUNING[field].most


def test_a_stack_of_an_earlier_release_is_judged_by_its_own_parameters() -> None:
    """It has a parameter for each number, and one for the form of lines."""
    told = template_parameters(BatchApi="files", LineForm="body", AllowTools="no", MaxRequestsPerBatch="7")
    del told["Tuning"]
    settings = settings_of(Profile("conveyor", "eu-central-1", "0", {"Release": __version__}, told))
    assert (settings.batch_api, settings.max_requests_per_batch) == ("files-openai", 7)


def _another(parameter: dict[str, object]) -> str:
    """Return a value of a parameter that is not its default."""
    allowed = parameter.get("AllowedValues")
    if isinstance(allowed, list):
        return str(next(each for each in allowed if str(each) != parameter["Default"]))
    if parameter["Type"] == "Number":
        return str(int(str(parameter["Default"])) + 1)
    return {"": "wrkspc-1", "24h": "7d"}.get(str(parameter["Default"]), "/v1/other")


@pytest.mark.parametrize(
    ("parameters", "address"),
    [
        ({}, "https://api.anthropic.com"),
        ({"Auth": "aws"}, "https://aws-external-anthropic.eu-central-1.api.aws"),
        ({"ApiUrl": "https://gateway.example", "Auth": "aws"}, "https://gateway.example"),
    ],
)
def test_the_address_is_that_of_the_template(parameters: dict[str, str], address: str) -> None:
    """Empty stands for the usual one, which depends on how requests are authenticated."""
    told = template_parameters(**parameters)
    assert settings_of(Profile("conveyor", "eu-central-1", "0", {}, told)).api_url == address


@pytest.mark.parametrize("parameters", [{"OnInvalid": "mend"}, {"BatchApi": "third"}, {"Tuning": "new-seconds=1"}])
def test_a_stack_whose_settings_are_not_known_here_is_not_judged(parameters: dict[str, str]) -> None:
    """It is of another release: words, and no traceback."""
    told = template_parameters() | parameters
    with pytest.raises(Trouble, match="The settings of conveyor cannot be read by this command") as caught:
        settings_of(Profile("conveyor", "eu-central-1", "0", {"Release": "9.0.0"}, told))
    assert "the stack is 9.0.0" in caught.value.more[0]
