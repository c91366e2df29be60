"""Stand-ins of the SDKs' documented interfaces: what each would send, as its own sources say it does."""

from __future__ import annotations

import asyncio
import contextlib
import io
import sys
import types
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final, Self


@dataclass(frozen=True)
class RetryPolicy:
    """Always sends all but ``non_retryable_errors``."""

    max_attempts: int = 3
    initial_interval: str = "PT1S"
    backoff_coefficient: float = 2.0
    max_interval: str = "PT5M"
    jitter: bool = True
    non_retryable_errors: list[str] = field(default_factory=list)

    def wire(self) -> dict[str, Any]:
        """What is sent."""
        return {name: value for name, value in vars(self).items() if name != "non_retryable_errors" or value}


@dataclass(frozen=True)
class UniquePolicy:
    """Sends ``key``, and no ``args_keys``."""

    keys: list[str] = field(default_factory=lambda: ["type", "queue", "args"])
    period: str | None = None
    states: list[str] = field(default_factory=lambda: ["available", "active", "scheduled"])
    on_conflict: str = "reject"

    def wire(self) -> dict[str, Any]:
        """What is sent."""
        sent = {"key": self.keys, "period": self.period, "states": self.states}
        return {"on_conflict": self.on_conflict} | {name: value for name, value in sent.items() if value}


def python(text: str) -> dict[str, Any]:
    """Run a Python program, and the request that its client makes."""
    sent: list[dict[str, Any]] = []

    class Client:
        def __init__(self, url: str) -> None:
            assert url.startswith("http")

        async def __aenter__(self) -> Self:
            return self

        async def __aexit__(self, *_: object) -> None:
            await asyncio.sleep(0)

        async def enqueue(  # noqa: PLR0913 - the SDK's own
            self,
            job_type: str,
            args: list[Any] | None = None,
            *,
            queue: str = "default",
            meta: dict[str, Any] | None = None,
            priority: int = 0,
            timeout_ms: int | None = None,
            delay_until: str | None = None,
            expires_at: str | None = None,
            retry: RetryPolicy | None = None,
            unique: UniquePolicy | None = None,
            tags: list[str] | None = None,
            schema: str | None = None,
        ) -> Any:
            options = {
                "queue": queue,
                "priority": priority,
                "timeout_ms": timeout_ms,
                "delay_until": delay_until,
                "expires_at": expires_at,
                "retry": retry and retry.wire(),
                "unique": unique and unique.wire(),
                "tags": tags,
            }
            body = {"type": job_type, "args": args or [], "meta": meta, "schema": schema}
            body |= {"options": {name: value for name, value in options.items() if value}}
            sent.append({name: value for name, value in body.items() if value is not None})
            return types.SimpleNamespace(id="1", state="available")

    class Worker:
        def __init__(self, url: str, *, queues: list[str]) -> None:
            assert url.startswith("http")
            assert queues
            self.handlers: dict[str, Any] = {}

        def register(self, name: str) -> Any:
            def keep(handler: Any) -> Any:
                self.handlers[name] = handler
                return handler

            return keep

        async def start(self) -> None:
            context = types.SimpleNamespace(job_type="a", attempt=1, args=[])
            for handler in self.handlers.values():
                assert await handler(context) == {"done": True}

    module = types.ModuleType("ojs")
    for name, value in (
        ("Client", Client),
        ("Worker", Worker),
        ("RetryPolicy", RetryPolicy),
        ("UniquePolicy", UniquePolicy),
        ("JobContext", object),
    ):
        setattr(module, name, value)
    sys.modules["ojs"] = module
    program = compile(text, "program.py", "exec")
    try:
        with contextlib.redirect_stdout(io.StringIO()), ThreadPoolExecutor(1) as thread:
            # In a thread, since a browser's test of the same run has an event loop in this one.
            thread.submit(exec, program, {"__name__": "__main__"}).result()
    finally:
        del sys.modules["ojs"]
    return sent[0]


JAVASCRIPT: Final = r"""
const wire = {
  maxAttempts: 'max_attempts', initialInterval: 'initial_interval', backoffCoefficient: 'backoff_coefficient',
  maxInterval: 'max_interval', jitter: 'jitter', nonRetryableErrors: 'non_retryable_errors',
  onExhaustion: 'on_exhaustion', key: 'key', period: 'period', states: 'states', onConflict: 'on_conflict',
  queue: 'queue', priority: 'priority', timeout: 'timeout_ms', delay: 'delay_until', expiresAt: 'expires_at',
  tags: 'tags', visibilityTimeout: 'visibility_timeout_ms',
};
const rename = (given) => Object.fromEntries(Object.entries(given).map(([name, value]) => {
  if (!(name in wire)) throw new Error(`The SDK has no option ${name}`);
  return [wire[name], value];
}));
export class OJSClient {
  constructor({ url }) { if (!url.startsWith('http')) throw new Error(url); }
  async enqueue(type, args, { meta, schema, retry, unique, ...rest } = {}) {
    const options = rename(rest);
    if (retry) options.retry = rename(retry);
    if (unique) options.unique = rename(unique);
    const body = { type, args: Array.isArray(args) ? args : [args], options };
    if (meta) body.meta = meta;
    if (schema) body.schema = schema;
    globalThis.sent(JSON.stringify(body));
    return { id: '1', state: 'available' };
  }
}
export class OJSWorker {
  register() { return this; }
  async start() {}
  async stop() {}
}
"""

JAVASCRIPT_MAIN: Final = r"""
globalThis.sent = (text) => process.stdout.write(text + '\n');
globalThis.fetch = async (url, { method, body }) => {
  if (method !== 'POST' || !url.endsWith('/ojs/v1/jobs')) throw new Error(url);
  globalThis.sent(body.replaceAll('\n', ' '));
  return { ok: true, json: async () => ({ job: { id: '1', state: 'available' } }) };
};
console.log = () => {};
for (const name of process.argv.slice(2)) await import(`./${name}?${Math.random()}`);
process.exitCode = 0;
"""

GO: Final = r"""
package ojs

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

type Args map[string]any
type Job struct {
	ID, Type, State string
	Attempt         int
	RawArgs         []any
}
type JobContext struct{ Job Job }

func (JobContext) SetResult(map[string]any) {}

type RetryPolicy struct {
	MaxAttempts        int
	InitialInterval    time.Duration
	BackoffCoefficient float64
	MaxInterval        time.Duration
	Jitter             *bool
	NonRetryableErrors []string
}
type UniquePolicy struct {
	Key        []string
	Period     time.Duration
	OnConflict string
}
type config struct{ body, options map[string]any }
type EnqueueOption func(*config)

func set(name string, value any) EnqueueOption { return func(c *config) { c.options[name] = value } }

func WithQueue(q string) EnqueueOption           { return set("queue", q) }
func WithPriority(p int) EnqueueOption           { return set("priority", p) }
func WithTimeout(d time.Duration) EnqueueOption  { return set("timeout_ms", d.Milliseconds()) }
func WithVisibilityTimeout(d time.Duration) EnqueueOption {
	return set("visibility_timeout_ms", d.Milliseconds())
}
func WithDelay(d time.Duration) EnqueueOption    { return set("delay_until", fmt.Sprintf("+PT%gS", d.Seconds())) }
func WithScheduledAt(t time.Time) EnqueueOption  { return set("delay_until", t) }
func WithExpiresAt(t time.Time) EnqueueOption    { return set("expires_at", t) }
func WithTags(tags ...string) EnqueueOption      { return set("tags", tags) }
func WithMeta(m map[string]any) EnqueueOption    { return func(c *config) { c.body["meta"] = m } }
func WithRetry(p RetryPolicy) EnqueueOption {
	m := map[string]any{}
	put := func(name string, there bool, value any) {
		if there {
			m[name] = value
		}
	}
	put("max_attempts", p.MaxAttempts != 0, p.MaxAttempts)
	put("initial_interval_ms", p.InitialInterval != 0, p.InitialInterval.Milliseconds())
	put("backoff_coefficient", p.BackoffCoefficient != 0, p.BackoffCoefficient)
	put("max_interval_ms", p.MaxInterval != 0, p.MaxInterval.Milliseconds())
	put("jitter", p.Jitter != nil, p.Jitter)
	put("non_retryable_errors", len(p.NonRetryableErrors) > 0, p.NonRetryableErrors)
	return set("retry", m)
}
func WithUnique(p UniquePolicy) EnqueueOption {
	m := map[string]any{}
	if len(p.Key) > 0 {
		m["key"] = p.Key
	}
	if p.Period != 0 {
		m["period_ms"] = p.Period.Milliseconds()
	}
	if p.OnConflict != "" {
		m["on_conflict"] = p.OnConflict
	}
	return set("unique", m)
}

type Client struct{}

func NewClient(url string) (*Client, error) { return &Client{}, nil }

func (*Client) Enqueue(ctx context.Context, kind string, args Args, options ...EnqueueOption) (*Job, error) {
	c := &config{map[string]any{"type": kind, "args": []any{}}, map[string]any{}}
	if len(args) > 0 {
		c.body["args"] = []any{args}
	}
	for _, option := range options {
		option(c)
	}
	c.body["options"] = c.options
	text, err := json.Marshal(c.body)
	fmt.Println(string(text))
	return &Job{}, err
}

type Worker struct{}
type WorkerOption func()

func WithQueues(queues ...string) WorkerOption                            { return func() {} }
func NewWorker(url string, options ...WorkerOption) *Worker               { return &Worker{} }
func (*Worker) Register(kind string, handler func(ctx JobContext) error) {}
func (*Worker) Start(ctx context.Context) error                           { return nil }
"""
