"""Policy files: what is refused, with file and line, and what holds for a call in the end."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import jsonschema
import pytest
import yaml

from claudescope._internal.exceptions import BadInputError
from claudescope.resilience.engine.actions import Answer, Timeouts
from claudescope.resilience.engine.rules import PRIMARY, BreakerRule, Budget, Concurrency, Needs, Target
from claudescope.resilience.policies.defaults import DEFAULT_BREAKER, DEFAULT_POLICY
from claudescope.resilience.policies.explain import explain
from claudescope.resilience.policies.load import block, load_policy, policy_from_environment
from claudescope.resilience.policies.model import json_schema
from claudescope.resilience.policies.resolve import Policy

WHOLE = """\
version: 1
defaults:
  deadline: 90s
  retry_budget: 10%
  max_cost_usd: 0.50
  concurrency: {max: 64, queue_timeout: 2s}
  timeouts: {connect: 5s, first_token: 30s, stall: 20s}
  throttle: rate-limit-headers
error_types:
  rate_limit_error: {retries: 5, base: 1s, cap: 60s, jitter: 0.5s}
  overloaded_error: {retries: 3, base: 2.5s, cap: 30s}
  client_timeout_error: {retries: 1}
breaker: {failures: 5, window: 30s, cooldown: 60s, successes: 1, share: redis://localhost/0}
targets:
  primary: {client: anthropic}
  aws: {client: bedrock, region: us-east-1, models: {claude-opus-5-5: eu.anthropic.claude-opus-5-5-v1:0}}
  gateway: {base_url: https://llm.example.com, api_key_env: GATEWAY_KEY}
budgets: [{workflow: summarise, usd_per_day: 50, then: degrade}]
workflows:
  summarise:
    route: [primary, aws]
    models: [claude-opus-5-5, claude-sonnet-5-5]
    timeouts: {stall: 10s}
    then: {static: "unclassified"}
  chat:
    deadline: null
    retry_budget: 0.2
    error_types: {overloaded_error: {retries: 0}}
    then: [{cache: 1h}, {function: "app.answers:sorry"}]
    validate: all
"""

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a policy file."""

    def written(text: str) -> Path:
        path = tmp_path / "resilience.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return written


def _load(write: Write, text: str, **environment: str) -> Policy:
    return load_policy(write(text), environment=environment)


class TestResolved:
    """Defaults, workflows and blocks: the last one wins, key by key."""

    @pytest.fixture
    def policy(self, write: Write) -> Policy:
        """The policy of the documentation."""
        return _load(write, WHOLE, GATEWAY_KEY="key")

    def test_a_workflow_takes_what_it_does_not_say_from_the_defaults(self, policy: Policy) -> None:
        """Its own keys win, nested timeouts one by one, and all others are those of `defaults`."""
        rules = policy.of("summarise")
        assert rules.deadline == 90
        assert rules.timeouts == Timeouts(5, 30, 10, None)
        assert rules.concurrency == Concurrency(64, 2)
        assert rules.max_cost_usd == Decimal("0.5")
        assert rules.route == ("primary", "aws")
        assert rules.then == (Answer("static", "unclassified"),)
        assert policy.of("other").timeouts == Timeouts(5, 30, 20, None)
        assert policy.of("other").route == policy.of(None).route == ("primary", "aws", "gateway")

    def test_null_switches_off(self, policy: Policy) -> None:
        """`deadline: null` in a workflow means none, whatever the defaults say."""
        assert policy.of("chat").deadline is None

    def test_error_types_merge(self, policy: Policy) -> None:
        """A workflow changes one key of one error type; the file's and the table's others stay."""
        chat, other = policy.of("chat").error_types, policy.of(None).error_types
        assert (chat["overloaded_error"].retries, chat["overloaded_error"].base) == (0, 2.5)
        assert (other["overloaded_error"].retries, other["overloaded_error"].explicit) == (3, True)
        assert other["api_error"] == DEFAULT_POLICY.error_types["api_error"]

    def test_a_workflow_with_a_retry_budget_has_its_own_bucket(self, policy: Policy) -> None:
        """Workflows without one share the bucket of the defaults."""
        assert (policy.of("chat").budget_key, policy.of("chat").retry_budget) == ("chat", 0.2)
        assert policy.of("summarise").budget_key == policy.of("other").budget_key == ""

    def test_targets_breaker_and_budgets(self, policy: Policy) -> None:
        """Targets, circuits and budgets are as the file has them."""
        assert policy.targets["gateway"] == Target("gateway", "anthropic", "https://llm.example.com", "GATEWAY_KEY")
        assert policy.targets["aws"].model_name("claude-opus-5-5") == "eu.anthropic.claude-opus-5-5-v1:0"
        assert policy.targets["aws"].model_name("claude-haiku-5-5") == "claude-haiku-5-5"
        assert policy.of(None).breaker == BreakerRule(5, None, 10, 30, 60, 1, 10, "redis://localhost/0")
        assert policy.share == "redis://localhost/0"
        assert policy.budgets == (Budget("summarise", Decimal(50), "degrade"),)

    def test_answers_and_checks(self, policy: Policy) -> None:
        """`then` may be one answer or a list, and `validate: all` is every check."""
        rules = policy.of("chat")
        assert rules.then == (Answer("cache", 3600.0), Answer("function", "app.answers:sorry"))
        assert len(rules.checks) == 6

    def test_blocks_win(self, policy: Policy) -> None:
        """The innermost block wins; in code, seconds are numbers."""
        rules = policy.of("summarise", [block(deadline=20, attempts=1), block(deadline=5.5)])
        assert (rules.deadline, rules.attempts, rules.route) == (5.5, 1, ("primary", "aws"))
        assert policy.of("summarise").deadline == 90

    def test_a_block_knows_the_targets(self, policy: Policy) -> None:
        """A block that routes to an unknown target is refused."""
        with pytest.raises(BadInputError, match=r"there is no target 'aw'\. Did you mean 'aws'"):
            policy.of(None, [block(route="aw")])

    def test_the_built_in_policy(self) -> None:
        """Without a file there is one target, retries, a circuit by rate, and no fallback."""
        policy = load_policy()
        assert list(policy.targets) == [PRIMARY]
        assert policy.of(None) == DEFAULT_POLICY
        assert policy.of("x").breaker == DEFAULT_BREAKER
        assert load_policy("default").of(None) == DEFAULT_POLICY

    def test_breakers(self, write: Write) -> None:
        """A breaker without numbers opens by count, one with a rate only by rate, and null means none."""
        for text, failures, rate in (("{}", 5, None), ("{rate: 50%}", None, 0.5), ("{rate: 0.2, failures: 9}", 9, 0.2)):
            rule = _load(write, f"version: 1\nbreaker: {text}\n").of(None).breaker
            assert rule is not None
            assert (rule.failures, rule.rate) == (failures, rate)
        assert _load(write, "version: 1\nbreaker: null\n").of(None).breaker is None

    def test_a_higher_base_raises_the_cap(self, write: Write) -> None:
        """A base above the default cap is not cut by it."""
        rule = _load(write, "version: 1\nerror_types: {api_error: {base: 40s}}\n").of(None).error_types["api_error"]
        assert (rule.base, rule.cap) == (40, 40)


TARGETS = "version: 1\ntargets:\n  a: {client: anthropic}\n  b: {client: bedrock}\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("version: 2\n", ":1: version: expected 1, got '2'"),
        ("defaults: {}\n", ":1: the key 'version' is missing"),
        ("version: 1\ndefault: {}\n", ":2: default: unknown key 'default'. Did you mean 'defaults'?"),
        ("version: 1\ndefaults: {deadline: 90}\n", ":2: defaults.deadline: expected a duration with its unit"),
        ("version: 1\ndefaults: {deadline: 1e3s}\n", ":2: defaults.deadline: expected a duration such as"),
        ("version: 1\ndefaults: {deadline: -5s}\n", ":2: defaults.deadline: expected a duration such as"),
        ("version: 1\ndefaults: {deadline: 0s}\n", ":2: defaults.deadline: expected greater than 0, got '0s'"),
        ("version: 1\ndefaults: {deadline: .inf}\n", ":2: defaults.deadline: expected a duration with its unit"),
        ("version: 1\ndefaults: {deadline: yes}\n", ":2: defaults.deadline: expected a duration with its unit"),
        (f"version: 1\ndefaults: {{deadline: {'9' * 400}s}}\n", ":2: defaults.deadline: expected "),
        (
            "version: 1\ndefaults: {retry_budget: 10}\n",
            ":2: defaults.retry_budget: expected a percentage such as '10%'",
        ),
        ("version: 1\ndefaults: {retry_budget: 150%}\n", ":2: defaults.retry_budget: expected a percentage"),
        ("version: 1\ndefaults: {retry_budget: -1%}\n", ":2: defaults.retry_budget: expected a percentage"),
        ("version: 1\ndefaults: {retry_budget: .nan}\n", ":2: defaults.retry_budget: expected a percentage"),
        ("version: 1\ndefaults: {retry_budget: true}\n", ":2: defaults.retry_budget: expected a percentage"),
        ("version: 1\ndefaults: {max_cost_usd: 0}\n", ":2: defaults.max_cost_usd: expected an amount of US dollars"),
        ("version: 1\ndefaults: {max_cost_usd: 5%}\n", ":2: defaults.max_cost_usd: expected an amount of US dollars"),
        ("version: 1\ndefaults: {attempts: true}\n", ":2: defaults.attempts: expected a whole number, got 'true'"),
        ("version: 1\ndefaults: {attempts: 0}\n", ":2: defaults.attempts: expected greater than or equal to 1"),
        ("version: 1\ndefaults: {concurrency: 5}\n", ":2: defaults.concurrency: expected a mapping, got '5'"),
        (
            "version: 1\ndefaults: {deadline: 5s, timeouts: {stall: 6s}}\n",
            ":2: defaults: timeouts.stall (6s) is above deadline (5s). Lower it",
        ),
        (
            "version: 1\ndefaults: {deadline: 5s}\nworkflows:\n  w:\n    timeouts:\n      stall: 6s\n",
            ":6: workflows.w.timeouts.stall: 6s is above the deadline of 5s. Lower it",
        ),
        (
            "version: 1\nerror_types:\n  rate_limit_eror: {retries: 1}\n",
            ":3: error_types.rate_limit_eror: unknown key 'rate_limit_eror'. Did you mean 'rate_limit_error'?",
        ),
        (
            "version: 1\nerror_types:\n  api_error: {base: 20s, cap: 3s}\n",
            ":3: error_types.api_error: base (20s) is above cap (3s). Lower base or raise cap",
        ),
        ("version: 1\nbreaker: {window: 0s}\n", ":2: breaker.window: expected greater than 0"),
        ("version: 1\nbreaker: {rate: 0%}\n", ":2: breaker.rate: expected greater than 0"),
        ("version: 1\nbreaker: {failures: 5, failures: 6}\n", ":2: the key 'failures' is there already, in line 2"),
        ("version: 1\ntargets:\n  a: {}\n", ":3: targets.a: a target needs one of the keys client and base_url"),
        ("version: 1\ntargets:\n  a:\n", ":3: targets.a: expected a mapping, got nothing"),
        (
            "version: 1\ntargets:\n  a: {base_url: https://llm.example.com}\n",
            ":3: targets.a: a target with base_url needs the key api_key_env",
        ),
        (
            "version: 1\ntargets:\n  a: {base_url: https://llm.example.com, api_key_env: MISSING_KEY}\n",
            ":3: targets.a.api_key_env: the environment variable MISSING_KEY is not set, so that the target has no key",
        ),
        (
            "version: 1\ntargets:\n  a: {base_url: llm, api_key_env: null}\n",
            ":3: targets.a.base_url: expected a URL such",
        ),
        (
            "version: 1\ntargets:\n  a: {client: anthropic, region: us-east-1}\n",
            ":3: targets.a: region and project belong to bedrock",
        ),
        ("version: 1\ntargets:\n  a: {client: bedrok}\n", "Did you mean 'bedrock'?"),
        (
            TARGETS + "defaults: {route: [a, c]}\n",
            ":5: defaults.route[1]: there is no target 'c'. The targets are a, b",
        ),
        (TARGETS + "defaults: {route: [a, b, a]}\n", ":5: defaults.route: it comes back to 'a': a loop. List each"),
        (TARGETS + "defaults: {route: []}\n", ":5: defaults.route:"),
        (
            "version: 1\ndefaults: {route: other}\n",
            ":2: defaults.route: there is no target 'other'. The targets are primary",
        ),
        ("version: 1\ndefaults: {models: [x, x]}\n", ":2: defaults.models: it comes back to 'x': a loop"),
        (
            (
                "version: 1\nworkflows:\n  w:\n    models: [claude-opus-5-5, claude-haiku-4-5]\n"
                "    needs: {input_tokens: 500000}\n"
            ),
            ":4: workflows.w.models[1]: claude-haiku-4-5 can't do what the calls need: an input of 500000 tokens (it",
        ),
        (
            (
                "version: 1\nworkflows:\n  w:\n    models: [claude-haiku-4-5, claude-opus-5-5]\n"
                "    needs: {features: prefill}\n"
            ),
            ":4: workflows.w.models[1]: claude-opus-5-5 can't do what the calls need: prefill",
        ),
        (
            "version: 1\nworkflows:\n  w: {then: {static: x, cache: 1h}}\n",
            ":3: workflows.w.then: expected exactly one of the keys static, function, cache",
        ),
        ("version: 1\nworkflows:\n  w: {then: {function: nothing}}\n", ":3: workflows.w.then.function: "),
        (
            "version: 1\nbudgets: [{usd_per_day: 5, then: degrade}]\n",
            ":2: budgets[0].then: degrade needs cheaper models. List them in models of the workflow",
        ),
        (
            "version: 1\nbudgets: [{workflow: w, usd_per_day: 5}, {workflow: w, usd_per_day: 6}]\n",
            ":1: there are two budgets of 'w'. Remove one",
        ),
        ("version: 1\n  defaults: {}\n", ":2: not valid YAML"),
        ("", ":1: the file is empty. Expected the keys version, defaults"),
    ],
)
def test_mistakes_have_file_and_line(write: Write, text: str, expected: str) -> None:
    """Each mistake is told with its file, its line, its key, and how to mend it."""
    path = write(text)
    with pytest.raises(BadInputError) as raised:
        load_policy(path, environment={})
    message = str(raised.value)
    assert message.startswith(f"{path}:")
    assert expected in message


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("reddis://localhost/0", "the scheme 'reddis' is unknown. Did you mean 'redis'?"),
        ("localhost:6379", "it has no scheme. Put redis:// before it"),
        ("redis:/localhost", "it has no scheme. Put redis:// before it"),
        ("redis://", "the host is missing"),
        ("redis:///0", "the host is missing"),
        ("redis://localhost:port/0", "its port isn't a number from 0 to 65535"),
        ("redis://localhost:70000/0", "its port isn't a number from 0 to 65535"),
        ("redis://localhost/zero", "the database 'zero' isn't a number"),
        ("redis://localhost /0", "it has a space in it"),
        ("redis://localhost/0?tiemout=5", "the option 'tiemout' is unknown"),
        ("redis://:pa#ss@localhost/0", "isn't a number"),
        ("unix://", "the path of the socket is missing"),
    ],
)
def test_a_redis_url_with_a_typo(write: Write, url: str, problem: str) -> None:
    """A wrong URL of a Redis is told apart, and never repeated, as it may hold a password."""
    path = write(f'version: 1\nbreaker: {{share: "{url}"}}\n')
    with pytest.raises(BadInputError) as raised:
        load_policy(path, environment={})
    assert str(raised.value).startswith(f"{path}:2: breaker.share: expected the URL of a Redis")
    assert problem in str(raised.value)


@pytest.mark.parametrize(
    "url",
    [
        "redis://localhost",
        "rediss://user:pw@redis.example.com:6380/3",
        "unix:///run/redis.sock?db=1",
        "redis://[::1]/0",
    ],
)
def test_good_redis_urls(write: Write, url: str) -> None:
    """URLs that redis-py takes are taken."""
    assert _load(write, f'version: 1\nbreaker: {{share: "{url}"}}\n').share == url


@pytest.mark.parametrize(
    "text",
    [
        "breaker: {share: 'reddis://:hunter2@localhost/0'}",
        "breaker: {share: 'redis://:hunter2@localhost/zero'}",
        "targets: {a: {base_url: https://llm.example.com, api_key_env: sk-ant-hunter2}}",
        "targets: {a: {base_url: 'https://user:hunter2@llm.example.com', api_key_env: KEY}}",
        "targets: {a: {base_url: 'https://llm.example.com/?key=hunter2', api_key_env: KEY}}",
    ],
)
def test_no_message_repeats_a_secret(write: Write, text: str) -> None:
    """A key or a password in the wrong place is refused, and not shown."""
    with pytest.raises(BadInputError) as raised:
        _load(write, f"version: 1\n{text}\n", KEY="x")
    assert "hunter2" not in str(raised.value)


def test_a_gateway_without_a_key(write: Write) -> None:
    """`api_key_env: null` says that a gateway needs none."""
    text = "version: 1\ntargets: {a: {base_url: 'http://127.0.0.1:8000', api_key_env: null}}\n"
    assert _load(write, text).targets["a"].api_key_env is None


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"deadlin": 3}, r"policy\(deadlin=...\): unknown key 'deadlin'. Did you mean 'deadline'"),
        ({"deadline": -3}, r"policy\(deadline=...\): expected a duration with its unit.*got -3"),
        ({"deadline": float("nan")}, r"policy\(deadline=...\): expected"),
        ({"deadline": float("inf")}, r"policy\(deadline=...\): expected a finite number"),
        ({"timeouts": {"stall": "x"}}, r"policy\(timeouts.stall=...\): expected a duration such as"),
        ({"deadline": 1, "timeouts": {"stall": 2}}, r"policy\(deadline, timeouts\): timeouts.stall \(2s\) is above"),
        ({"cache": {"ttl": 1, "share": "redis://:hunter2@h/x"}}, r"the database 'x' isn't a number$"),
    ],
)
def test_blocks_with_mistakes(keys: dict[str, object], expected: str) -> None:
    """The arguments of a block are checked as a file is."""
    with pytest.raises(BadInputError, match=expected) as raised:
        block(**keys)
    assert "hunter2" not in str(raised.value)


class TestEnvironment:
    """`CLAUDESCOPE_POLICY` names a file, or says `default` or `off`."""

    @pytest.mark.parametrize("value", ["", "  ", "off", "OFF"])
    def test_none(self, value: str) -> None:
        """Unset, empty and `off` mean no policy."""
        assert policy_from_environment({}) is None
        assert policy_from_environment({"CLAUDESCOPE_POLICY": value}) is None

    def test_default(self) -> None:
        """`default` is the built-in policy."""
        policy = policy_from_environment({"CLAUDESCOPE_POLICY": "default"})
        assert policy is not None
        assert policy.of(None) == DEFAULT_POLICY

    def test_a_file(self, write: Write) -> None:
        """A path is read, and the keys of its targets are those of the same environment."""
        path = write(WHOLE)
        policy = policy_from_environment({"CLAUDESCOPE_POLICY": str(path), "GATEWAY_KEY": "key"})
        assert policy is not None
        assert policy.source == str(path)
        with pytest.raises(BadInputError, match="GATEWAY_KEY is not set"):
            policy_from_environment({"CLAUDESCOPE_POLICY": str(path)})

    def test_no_such_file(self) -> None:
        """A path that isn't there is told with the variable's name."""
        with pytest.raises(
            BadInputError, match=r"CLAUDESCOPE_POLICY=defualt: there is no such file. Expected the path"
        ):
            policy_from_environment({"CLAUDESCOPE_POLICY": "defualt"})


class TestSchema:
    """The JSON Schema says what the loader says."""

    def test_the_whole_policy_matches(self) -> None:
        """The policy of the documentation is valid."""
        jsonschema.validate(yaml.safe_load(WHOLE), json.loads(json_schema()))

    @pytest.mark.parametrize(
        "text",
        [
            "version: 2",
            "version: 1\ndefault: {}",
            "version: 1\ndefaults: {deadline: 90}",
            "version: 1\ndefaults: {deadline: 1e3s}",
            "version: 1\nerror_types: {rate_limit_eror: {}}",
            "version: 1\ndefaults: {attempts: 0}",
            "version: 1\ntargets: {a: {client: bedrok}}",
        ],
    )
    def test_what_the_loader_refuses_is_invalid(self, write: Write, text: str) -> None:
        """An editor marks what the loader refuses."""
        with pytest.raises(BadInputError):
            _load(write, text)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(yaml.safe_load(text), json.loads(json_schema()))

    def test_every_key_is_described(self) -> None:
        """Every key has a description, which editors and the documentation show."""
        schema = json.loads(json_schema())
        sections = [schema, *schema["$defs"].values()]
        keys = [entry for section in sections for entry in section.get("properties", {}).values()]
        assert all(entry.get("description") for entry in keys)


def test_explain(write: Write) -> None:
    """It tells each step in words: attempts, waits, hops, and how the call ends."""
    policy = load_policy(write(WHOLE), environment=None)
    lines = explain(policy, "summarise", "client_timeout_error")
    assert lines[1:] == [
        "1. send to primary with claude-opus-5-5: it fails",
        "2. send to aws with claude-opus-5-5: it fails",
        "3. answer with the text 'unclassified'",
    ]
    assert "wait 30 s, as the server asks, and up to 0.5 s more" in "\n".join(
        explain(policy, None, "rate_limit_error", retry_after=30)
    )
    for error_type in policy.of(None).error_types:
        assert explain(policy, "chat", error_type)


def test_needs_of_a_workflow(write: Write) -> None:
    """What a workflow needs is kept for the checks before a hop."""
    text = "version: 1\ndefaults: {needs: {max_tokens: 8000, features: [tools, images]}}\n"
    assert _load(write, text).of(None).needs == Needs(None, 8000, frozenset({"tools", "images"}))


class TestCommand:
    """`claudescope policy` exits with 2 on mistakes, and never with a traceback."""

    @staticmethod
    def _run(*arguments: str | Path, code: int = 0) -> str:
        command = [sys.executable, "-m", "claudescope", "policy", *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 # ours
        assert done.returncode == code, done.stderr
        return done.stdout + done.stderr

    def test_check(self, write: Write) -> None:
        """It lists what holds for each workflow, with notes; without keys it is 2."""
        path = write(WHOLE)
        assert "GATEWAY_KEY is not set" in self._run("check", path, code=2)
        told = self._run("check", "--without-keys", path)
        assert "summarise: route primary > aws; models claude-opus-5-5 > claude-sonnet-5-5; deadline 90s" in told
        assert "Traceback" not in self._run("check", path.with_name("none.yaml"), code=2)

    def test_explain_and_schema(self, write: Write) -> None:
        """Both print what the functions return."""
        path = write(WHOLE)
        assert "answer with the text 'unclassified'" in self._run(
            "explain", "summarise", "overloaded_error", "--policy", path
        )
        assert "Did you mean 'api_error'?" in self._run("explain", "defaults", "api_eror", code=2)
        assert json.loads(self._run("schema")) == json.loads(json_schema())
