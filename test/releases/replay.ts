import { idempotencyKeyOf } from '../../libs/workflow/src/engine/attempt/attempt.js';
import { callStep } from '../../libs/workflow/src/engine/attempt/step-call.js';
import type { Definition, StepDefinition } from '../../libs/workflow/src/model/definition.js';
import type { Run } from '../../libs/workflow/src/model/run.js';
import { MemoryRun } from '../machine/memory-run.js';
import type { SavedInput, SavedOutcome } from './saved-release.js';

/** Gives a run of the present code these inputs, and answers what came of it, as it is saved. */
export async function replay(
  definition: Definition,
  sending: readonly string[],
  inputs: readonly SavedInput[],
): Promise<SavedOutcome> {
  const memory = new MemoryRun(definition);
  const receipts = inputs.map((input) => give(memory, input));
  const { run, journal, repeats, parked, deadLetters, losses, messages } = memory;
  return {
    run: JSON.parse(JSON.stringify(run)) as Record<string, unknown>,
    receipts,
    journal: journal.map((one) =>
      text(
        one.revision,
        one.kind,
        one.name,
        one.subject,
        one.verdict,
        one.rule,
        one.fromState,
        one.toState,
        one.eventId,
        one.digest,
      ),
    ),
    repeats: repeats.map((one) => text(one.type, one.subject, one.verdict, one.rule)),
    parked: [...parked.values()].map((one) => text(one.type, one.subject, one.id)),
    deadLetters: deadLetters.map((one) => text(one.type, one.subject, one.rule, one.eventId)),
    losses: losses.map((one) => text(one.type, one.subject, one.rule, one.eventId)),
    messages: [...messages, ...(await sentBySteps(definition, sending, run))].map((one) =>
      text(one.id, one.route.to, one.type, one.version, one.key, JSON.stringify(one.payload)),
    ),
    idempotencyKeys: Object.fromEntries(
      definition.steps.map((step) => [step.name, idempotencyKeyOf(run, firstTried(step))]),
    ),
  };
}

function give(memory: MemoryRun, input: SavedInput): string {
  if ('event' in input) {
    const { receivedAt, ...event } = input.event;
    const [receipt] = memory.receive({ ...event, receivedAt: new Date(receivedAt) });
    return text(receipt?.verdict, receipt?.rule, receipt?.state);
  }
  if ('timer' in input) {
    memory.receive({ ...input.timer, fireAt: new Date(input.timer.fireAt) });
    return text('timer', memory.state);
  }
  return text('step', memory.step(), memory.state);
}

async function sentBySteps(definition: Definition, sending: readonly string[], run: Run) {
  const steps = definition.steps.filter(({ name }) => sending.includes(name));
  const called = await Promise.all(steps.map((step) => messagesOf(step, run)));
  return called.flat();
}

async function messagesOf(step: StepDefinition, run: Run) {
  const { messages } = await callStep({
    attempted: firstTried(step),
    timeoutMs: step.timeoutMs,
    perform: step.run,
    run: structuredClone(run),
    outputs: {},
    attempt: 1,
    signal: new AbortController().signal,
  });
  return messages;
}

function firstTried({ name, effect }: StepDefinition) {
  return { kind: 'step' as const, name, undoes: null, item: -1, generation: 0, effect };
}

function text(...parts: readonly (string | number | null | undefined)[]): string {
  return parts
    .map((part) => (part === null || part === undefined || part === '' ? '-' : String(part)))
    .join(' ');
}
