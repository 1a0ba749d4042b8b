"""Every failure sends a message: by an alarm, by a rule, and if that fails, by the alarm on a queue."""

import itertools
import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from conveyor.domain.status import STATUSES, Status
from conveyor.settings.tuning import TUNING
from conveyor.telemetry.metrics import METRICS
from tests.support import template
from tests.support.template import FUNCTIONS, Json, spelled

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR
PATIENCE = {"ProviderTroubleAlarm": HOUR // 2, "QueueFullAlarm": DAY, "OldRunAlarm": 15 * DAY}
"""Of alarms on how long something has lasted, in seconds."""
ALARMS: dict[str, Json] = template.resources("AWS::CloudWatch::Alarm")
LONGEST_NAMES = {
    "AWS::StackName": 76,
    "AWS::Region": len("ap-southeast-2"),
    "Machine": len("arn:aws-us-gov:states:us-gov-west-1:123456789012:stateMachine:") + 80,
    "Submit": 64,
    "ApiKeySecretName": 60,
    "Bucket": 63,
    "Topic": len("arn:aws-us-gov:sns:us-gov-west-1:123456789012:") + 256,
} | {f"{name}Log": len("/aws/lambda/-submit") + 76 for name in FUNCTIONS}
LONGEST_QUEUE_URL = len("https://sqs.us-gov-west-1.amazonaws.com/123456789012/") + 80


def alarms(namespace: str) -> list[Json]:
    """Return the alarms on the metrics of one namespace."""
    return [alarm for alarm in ALARMS.values() if alarm["Namespace"] == namespace]


def statements(kind: str, name: str) -> dict[str, Json]:
    """Return the statements of a resource's policy by Sid."""
    (policy,) = (each for key, each in template.resources(kind)[name].items() if key in {"PolicyDocument", "KeyPolicy"})
    return {statement["Sid"]: statement for statement in policy["Statement"]}


@pytest.mark.parametrize("name", ALARMS)
def test_every_alarm_publishes_to_the_topic_and_missing_data_is_no_alarm(name: str) -> None:
    """An idle stack has no data."""
    alarm = ALARMS[name]
    assert alarm["AlarmActions"] == [{"Ref": "Topic"}]
    assert alarm["TreatMissingData"] == "notBreaching"
    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (PATIENCE.get(name, 0), "GreaterThanThreshold")


@pytest.mark.parametrize("name", ALARMS)
def test_the_text_of_an_alarm_fits_however_long_the_names_are(name: str) -> None:
    """CloudWatch accepts 1,024 characters; only a stack with a long name would fail to deploy."""
    text = ALARMS[name]["AlarmDescription"]["Fn::Sub"].replace("${!", "$ {")
    longest = sum(LONGEST_NAMES.get(each, LONGEST_QUEUE_URL) for each in re.findall(r"\$\{([\w:]+)\}", text))
    assert len(re.sub(r"\$\{[\w:]+\}", "", text)) + longest <= 1024


def test_an_alarm_goes_off_at_the_first_sign_unless_its_function_is_retried() -> None:
    """Within a minute or two of the metric; errors of functions are tested below."""
    about_the_provider = {*PATIENCE, "AccountRefusedAlarm"}
    of_functions = {f"{name}ErrorsAlarm" for name in FUNCTIONS} | {"PollThrottledAlarm"}
    at_once = [alarm for name, alarm in ALARMS.items() if name not in of_functions | about_the_provider]
    assert len(at_once) == 10
    assert {(alarm["Period"], alarm["EvaluationPeriods"]) for alarm in at_once} == {(60, 1)}


@pytest.mark.parametrize("name", [*PATIENCE, "AccountRefusedAlarm"])
def test_an_alarm_about_the_provider_stays_on_between_two_looks_at_a_run(name: str) -> None:
    """Else each look sends a message: a run under way is looked at every poll-max-seconds at most, and then again."""
    alarm = ALARMS[name]
    assert alarm["EvaluationPeriods"] == 1
    assert alarm["Period"] >= 2 * TUNING["poll_max_seconds"].most


@pytest.mark.parametrize("name", ALARMS)
def test_a_command_of_an_alarm_stands_alone_on_its_line(name: str) -> None:
    """The console shows a description as Markdown: what is indented stays as it is, an ARN in angle brackets too."""
    text = ALARMS[name]["AlarmDescription"]["Fn::Sub"]
    commands = re.findall(r"\n\n    (\S.*)\n\n", text)
    assert commands
    assert all(command.startswith(("aws ", "conveyor ")) for command in commands)
    assert [line for line in text.splitlines() if line.lstrip().startswith(("aws ", "conveyor "))] == [
        f"    {command}" for command in commands
    ]
    assert not re.search("<|>", re.sub(r"\n    .*\n", "", text))


def test_every_failure_queue_keeps_its_messages_and_has_an_alarm() -> None:
    """14 days, and a message to the topic with the command to type. `test_company_keys.py` shows its encryption."""
    queues = template.resources("AWS::SQS::Queue")
    assert {queue["MessageRetentionPeriod"] for queue in queues.values()} == {14 * DAY}
    watched = {
        spelled(alarm["Dimensions"][0]["Value"]): alarm["AlarmDescription"]["Fn::Sub"] for alarm in alarms("AWS/SQS")
    }
    command = {
        "UploadDeadLetterQueue": "aws lambda invoke",
        "SubmitFailureQueue": "aws lambda invoke",
        "FailedRunDeadLetterQueue": "aws stepfunctions redrive-execution",
    }
    assert watched.keys() == {f"{name}.QueueName" for name in queues}
    assert queues.keys() == command.keys()
    for name, words in command.items():
        assert words in watched[f"{name}.QueueName"]


@pytest.mark.parametrize(
    ("queue", "rule"), [("UploadDeadLetterQueue", "SubmitUpload"), ("FailedRunDeadLetterQueue", "RedRunRule")]
)
def test_only_its_rule_may_fill_a_dead_letter_queue(queue: str, rule: str) -> None:
    """A queue an operator acts on must not take events from strangers."""
    policy = template.resources("AWS::SQS::QueuePolicy")[f"{queue}Policy"]
    assert policy["Queues"] == [{"Ref": queue}]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Action"]) == ("Allow", "sqs:SendMessage")
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert statement["Resource"] == {"Fn::GetAtt": [queue, "Arn"]}
    assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": [rule, "Arn"]}}}


@pytest.mark.parametrize(
    ("name", "metric", "value"),
    [
        ("UploadLostAlarm", ("AWS/Lambda", "DestinationDeliveryFailures"), "Submit"),
        ("EventLostAlarm", ("AWS/Events", "InvocationsFailedToBeSentToDlq"), "SubmitUpload"),
    ],
)
def test_an_upload_that_is_in_no_queue_has_an_alarm(name: str, metric: tuple[str, str], value: str) -> None:
    """It would be lost without a word. Its command lists what was dropped."""
    alarm = ALARMS[name]
    assert (alarm["Namespace"], alarm["MetricName"]) == metric
    assert [spelled(each["Value"]) for each in alarm["Dimensions"]] == [value]
    assert "aws s3 ls --recursive s3://${Bucket}/inbox/" in alarm["AlarmDescription"]["Fn::Sub"]


def test_a_message_that_a_subscriber_does_not_get_has_an_alarm() -> None:
    """Others get that of the alarm."""
    alarm = ALARMS["NotificationsFailedAlarm"]
    assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/SNS", "NumberOfNotificationsFailed")
    assert [spelled(each["Value"]) for each in alarm["Dimensions"]] == ["Topic.TopicName"]


def test_the_alarm_about_an_old_run_leaves_time_to_act() -> None:
    """Results are kept for 29 days, and a run ends after 40; long runs take about a week (docs/scale.md)."""
    assert 7 * DAY < PATIENCE["OldRunAlarm"] <= 29 * DAY - 14 * DAY


def test_the_page_says_how_many_alarms_there_are_and_what_they_cost() -> None:
    """Each has one metric, for ten cents a month."""
    page = (template.PROJECT / "docs" / "operate.md").read_text()
    assert f"${len(ALARMS) / 10:.2f} for {len(ALARMS)} alarms" in page


def test_a_run_that_does_not_balance_has_an_alarm_on_the_metric_that_report_counts() -> None:
    """An alarm with a misspelled dimension would never go off."""
    alarm = ALARMS["UnbalancedAlarm"]
    given = template.functions()["Report"]["Environment"]["Variables"]
    dimensions = {dimension["Name"]: dimension["Value"] for dimension in alarm["Dimensions"]}
    assert alarm["Namespace"] == given["POWERTOOLS_METRICS_NAMESPACE"]
    assert dimensions == {"service": given["POWERTOOLS_SERVICE_NAME"], "status": "unbalanced"}
    assert STATUSES[Status(dimensions["status"])].is_final
    assert ("status",) in METRICS[alarm["MetricName"]].sets
    assert alarm["Statistic"] == "Sum"
    assert "send nothing again" in alarm["AlarmDescription"]["Fn::Sub"]


@pytest.mark.parametrize(
    ("name", "metric", "status"),
    [
        ("RunFailedAlarm", "ExecutionsFailed", "FAILED"),
        ("RunTimedOutAlarm", "ExecutionsTimedOut", "TIMED_OUT"),
        ("RunAbortedAlarm", "ExecutionsAborted", "ABORTED"),
    ],
)
def test_an_execution_that_ends_without_success_has_an_alarm_beside_its_message(
    name: str, metric: str, status: str
) -> None:
    """EventBridge's message names the run; if it is lost, the alarm says how to find and redrive the run."""
    alarm = ALARMS[name]
    rule = template.resources("AWS::Events::Rule")["RedRunRule"]
    assert status in rule["EventPattern"]["detail"]["status"]
    assert len(rule["EventPattern"]["detail"]["status"]) == len(alarms("AWS/States"))
    assert (alarm["Namespace"], alarm["MetricName"], alarm["Statistic"]) == ("AWS/States", metric, "Sum")
    assert alarm["Dimensions"] == [{"Name": "StateMachineArn", "Value": {"Ref": "Machine"}}]
    text = alarm["AlarmDescription"]["Fn::Sub"]
    machine = "--region ${AWS::Region} --state-machine-arn ${Machine}"
    assert f"aws stepfunctions list-executions {machine} --status-filter {status}\n" in text
    assert "aws stepfunctions get-execution-history --reverse-order --max-items 5 --region ${AWS::Region}" in text
    assert "aws stepfunctions redrive-execution --region ${AWS::Region} --execution-arn <executionArn>" in text
    assert "Nothing is lost or charged twice." in text


def test_services_may_publish_to_the_encrypted_topic() -> None:
    """Both policies must permit it, or a message fails silently."""
    services = {"PublishAlarms": "cloudwatch.amazonaws.com"}
    key, topic = statements("AWS::KMS::Key", "TopicKey"), statements("AWS::SNS::TopicPolicy", "TopicPolicy")
    for policy, action in (
        ({sid: key[sid] for sid in key.keys() - {"AdministerByIam"}}, ["kms:GenerateDataKey*", "kms:Decrypt"]),
        (topic, "sns:Publish"),
    ):
        assert {sid: statement["Principal"]["Service"] for sid, statement in policy.items()} == services
        assert {(statement["Effect"], str(statement["Action"])) for statement in policy.values()} == {
            ("Allow", str(action))
        }
    assert template.resources("AWS::KMS::Key")["TopicKey"]["EnableKeyRotation"] is True


def test_only_alarms_of_this_stack_publish_and_all_of_them_do() -> None:
    """CloudFormation names the other alarms, beginning with the name of the stack."""
    condition = statements("AWS::SNS::TopicPolicy", "TopicPolicy")["PublishAlarms"]["Condition"]
    assert condition == {
        "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}},
        "ArnLike": {
            "aws:SourceArn": {
                "Fn::Sub": "arn:${AWS::Partition}:cloudwatch:${AWS::Region}:${AWS::AccountId}:alarm:${AWS::StackName}-*"
            }
        },
    }
    assert [name for name, alarm in ALARMS.items() if "AlarmName" in alarm] == []


# ---------------------------------------------------------------- errors of functions, over time


class Error(NamedTuple):
    """One failed invocation. Lambda counts it in the minute of its beginning, as soon as it has ended."""

    begun: float
    ended: float


def errors(name: str, takes: float, lasts: float, starts: float = 0) -> list[Error]:
    """Return the failures of a Task, each after `takes` seconds, until one begins after `lasts` seconds."""
    (retry,) = {
        tuple(sorted((key, str(value)) for key, value in task["Retry"][0].items())): task["Retry"][0]
        for task in tasks()
        if f"${{{name}Function}}" in str(task)
    }.values()
    found = list[Error]()
    begin = 0.0
    for number in itertools.count():
        if begin > lasts or number > retry["MaxAttempts"]:
            return found
        found.append(Error(starts + begin, starts + begin + takes))
        begin += takes + min(retry["IntervalSeconds"] * retry["BackoffRate"] ** number, retry["MaxDelaySeconds"])
    return found


def tasks() -> Iterator[Json]:
    """Return every Task of the definition, including those in a Map."""
    for state in template.definition()["States"].values():
        yield from state.get("ItemProcessor", {"States": {"": state}})["States"].values()


def minutes_in_alarm(name: str, failed: list[Error], lasts: float) -> list[int]:
    """Return the minutes at whose end the alarm of a function is on, as CloudWatch computes it.

    It looks at the end of each minute, at periods that end there.
    """
    alarm = ALARMS[f"{name}ErrorsAlarm"]
    period = alarm["Period"] // MINUTE
    on = list[int]()
    for now in range(1, int(lasts) // MINUTE):
        known = {int(error.begun // MINUTE) for error in failed if error.ended < now * MINUTE}
        ends = [now - number * period for number in range(alarm["EvaluationPeriods"])]
        breaching = [any(end - period <= minute < end for minute in known) for end in ends]
        if sum(breaching) >= alarm["DatapointsToAlarm"]:
            on.append(now)
    return on


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_alarm_of_a_function_counts_its_errors_whatever_version_is_called(name: str) -> None:
    """The state machine calls versions; the name alone as dimension counts all of them."""
    alarm = ALARMS[f"{name}ErrorsAlarm"]
    assert (alarm["Namespace"], alarm["MetricName"], alarm["Statistic"]) == ("AWS/Lambda", "Errors", "Sum")
    assert alarm["Dimensions"] == [{"Name": "FunctionName", "Value": {"Ref": name}}]
    assert f"aws logs tail ${{{name}Log}}" in alarm["AlarmDescription"]["Fn::Sub"]
    assert [each for each, other in ALARMS.items() if other["MetricName"] == "Errors"] == [
        f"{each}ErrorsAlarm" for each in FUNCTIONS
    ]


def test_an_alarm_about_throttles_is_as_patient_as_one_about_errors() -> None:
    """A Task retries a call that is throttled like one that fails; no function has concurrency of its own."""
    alarm, errors_alarm = ALARMS["PollThrottledAlarm"], ALARMS["PollErrorsAlarm"]
    fields = ("Namespace", "Dimensions", "Period", "EvaluationPeriods", "DatapointsToAlarm", "Statistic")
    assert [alarm[field] for field in fields] == [errors_alarm[field] for field in fields]
    assert alarm["MetricName"] == "Throttles"
    assert not any("ReservedConcurrentExecutions" in function for function in template.functions().values())


@pytest.mark.parametrize("takes", [0.1, 5, 60, 120])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_that_keeps_failing_in_one_run_is_reported_in_time_and_the_alarm_stays_on(
    name: str, takes: float
) -> None:
    """It goes off before the 24 hours of retries end, although retries are soon 15 minutes apart."""
    for starts in (0, 13, 31, 59):
        on = minutes_in_alarm(name, errors(name, takes, 6 * HOUR, starts), 6 * HOUR)
        assert on[0] <= 21
        assert set(on) >= set(range(40, 6 * HOUR // MINUTE))
        assert len([minute for minute in on if minute - 1 not in on]) <= 2, "mails"


@pytest.mark.parametrize("name", ["Submit", "Split", "Report"])
def test_a_function_that_always_times_out_is_reported_within_the_hour(name: str) -> None:
    """Each failure takes its 15 minutes."""
    assert min(minutes_in_alarm(name, errors(name, 900, 2 * HOUR), 2 * HOUR)) <= 50


@pytest.mark.parametrize("lasts", [0, 10, 60, 5 * MINUTE, 9 * MINUTE])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_an_outage_of_minutes_is_no_alarm_however_many_runs_it_hits(name: str, lasts: float) -> None:
    """Retries resolve it without a person."""
    for runs in (1, 40):
        failed = [error for run in range(runs) for error in errors(name, 0.1, lasts - run % 7, run % 7)]
        assert minutes_in_alarm(name, failed, 3 * HOUR) == []


def test_a_split_that_waits_for_one_that_was_cut_off_is_no_alarm() -> None:
    """Each retry raises AnotherSplits until the first split has certainly ended, whenever it was cut off."""
    (longest,) = {task["TimeoutSeconds"] for task in tasks() if "${SplitFunction}" in str(task)}
    for starts in (0, 13, 31, 59):
        failed = errors("Split", 0.5, longest, starts)
        assert failed
        assert minutes_in_alarm("Split", failed, 3 * HOUR) == []
