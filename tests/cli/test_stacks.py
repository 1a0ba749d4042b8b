"""Which stack a command is about."""

from pathlib import Path

import pytest

from conveyor_cli.stacks import profiles
from conveyor_cli.stacks.chosen import Choice, find, find_deployed
from conveyor_cli.stacks.local import local_environment
from conveyor_cli.trouble import Trouble
from local.stack.local_aws import Aws
from local.stack.stack import Stack
from local.up import exports
from tests.support.command import Command
from tests.support.memory_aws.served import Served
from tests.support.memory_aws.stacks import Stack as Deployed


@pytest.fixture
def home(conveyor: Command, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Be the user who has a home of its own, in this process."""
    for name, value in conveyor.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.chdir(conveyor.home)
    return conveyor.home


@pytest.mark.usefixtures("home")
def test_the_stack_in_use_is_not_looked_up_again(conveyor: Command, aws: Served, bucket: str) -> None:
    """A command costs no request of CloudFormation, and needs no right to it."""
    conveyor.call("use", "conveyor")
    aws.reset()
    assert (find(Choice()).bucket.bucket, find(Choice("conveyor")).bucket.bucket) == (bucket, bucket)
    assert not aws.asked


@pytest.mark.usefixtures("home")
def test_a_stack_that_was_not_chosen_is_looked_up_for_once(bucket: str) -> None:
    """It is not kept."""
    assert find(Choice("conveyor")).bucket.bucket == bucket
    assert not profiles.place().exists()


def test_the_aws_profile_of_a_stack_is_used_again(
    home: Path, conveyor: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person with two accounts need not name it each time; the environment comes first."""
    config = home / ".aws" / "credentials"
    config.parent.mkdir()
    config.write_text("[work]\naws_access_key_id = work\naws_secret_access_key = work\n")
    nobody = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    assert conveyor.call("use", "conveyor", AWS_PROFILE="work", **nobody).exit == 0
    config.write_text("")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(Trouble, match='No AWS profile "work"'):
        find(Choice())
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    assert find(Choice()).profile.aws_profile == "work"


@pytest.mark.usefixtures("home")
def test_without_a_choice() -> None:
    """It says how to choose."""
    with pytest.raises(Trouble, match="No stack was chosen") as raised:
        find(Choice())
    assert raised.value.commands == ("conveyor use STACK --region REGION",)
    assert raised.value.exit_code == 2


def test_without_a_choice_the_local_stack_that_is_up_is_named(home: Path) -> None:
    """Who tries it on one machine has no stack to choose."""
    (home / ".demo").mkdir()
    (home / ".demo" / "local.sh").touch()
    with pytest.raises(Trouble, match="No stack was chosen") as raised:
        find(Choice())
    assert raised.value.more[0] == "A local stack is up here: to use it, add --local."


@pytest.mark.usefixtures("home")
def test_another_region_than_that_of_the_stack_in_use(conveyor: Command) -> None:
    """It is not ignored: the stack there would be another one."""
    conveyor.call("use", "conveyor")
    with pytest.raises(Trouble, match="conveyor is in us-east-1, not in eu-west-1"):
        find(Choice(region="eu-west-1"))


@pytest.mark.usefixtures("home")
def test_a_file_of_profiles_that_is_broken() -> None:
    """It is named, and nothing is overwritten."""
    file = profiles.place()
    file.parent.mkdir(parents=True)
    file.write_text("{")
    with pytest.raises(Trouble, match=r"stacks\.json cannot be read"):
        find(Choice())
    assert file.read_text() == "{"


def test_the_local_stack_is_found_from_any_folder_of_the_checkout(
    home: Path, aws: Served, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the file that `make local` writes. The profile of the shell does not count, as in that file."""
    local = Aws(aws.url, home / "server.crt", home / "log")
    (home / ".demo").mkdir()
    (home / ".demo" / "local.sh").write_text(exports(Stack(local, {}, "queue", home, None)))
    (home / "server.crt").write_text("")
    (home / "deep" / "down").mkdir(parents=True)
    monkeypatch.chdir(home / "deep" / "down")
    monkeypatch.setenv("AWS_PROFILE", "work")
    for name in local.env:
        monkeypatch.delenv(name, raising=False)
    assert local_environment(Path.cwd()) == local.env
    assert find(Choice(is_local=True)).bucket.bucket == bucket


def test_a_variable_names_the_file_of_another_local_stack(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the demo sets it, which may run beside `make local`."""
    (home / ".demo").mkdir()
    (home / ".demo" / "local.sh").write_text("export AWS_ENDPOINT_URL=http://one\n")
    (home / "demo.sh").write_text("export AWS_ENDPOINT_URL=http://other\n")
    monkeypatch.setenv("CONVEYOR_LOCAL", str(home / "demo.sh"))
    assert local_environment(home) == {"AWS_ENDPOINT_URL": "http://other"}


@pytest.mark.usefixtures("home")
def test_no_local_stack_is_up() -> None:
    """It says how to start one."""
    with pytest.raises(Trouble, match="No local stack is up") as raised:
        find(Choice(is_local=True))
    assert raised.value.commands == ("make local",)


@pytest.mark.usefixtures("home")
def test_the_local_stack_has_no_other_name() -> None:
    """Both options together are a mistake."""
    with pytest.raises(Trouble) as raised:
        find(Choice("conveyor", is_local=True))
    assert raised.value.exit_code == 2


@pytest.mark.usefixtures("home")
def test_a_drop_goes_into_the_account_that_was_chosen(conveyor: Command, aws: Served) -> None:
    """A stack of the same name in the account of other credentials is another stack, whose money is not meant."""
    conveyor.call("use", "conveyor")
    outputs = aws.memory.stacks.named["conveyor"].outputs
    machine = outputs["StateMachineArn"].replace("000000000000", "222222222222")
    aws.memory.stacks.named["conveyor"] = Deployed({**outputs, "StateMachineArn": machine})
    with pytest.raises(Trouble, match="chosen in account 000000000000, and your credentials are of 222222222222"):
        find_deployed(Choice())


@pytest.mark.usefixtures("home")
def test_a_stack_that_is_being_deleted_takes_no_drop(conveyor: Command, aws: Served) -> None:
    """What is uploaded there would run never, or half."""
    conveyor.call("use", "conveyor")
    outputs = aws.memory.stacks.named["conveyor"].outputs
    aws.memory.stacks.named["conveyor"] = Deployed(outputs, "UPDATE_ROLLBACK_COMPLETE")
    assert find_deployed(Choice()).profile.stack == "conveyor"
    aws.memory.stacks.named["conveyor"] = Deployed(outputs, "DELETE_IN_PROGRESS")
    with pytest.raises(Trouble, match="its status is DELETE_IN_PROGRESS"):
        find_deployed(Choice())
