import type { TestEngine } from '@pawl/testing';
import type { Entry, ProviderBooks } from './provider-books.js';

/** What is known of a run that has ended, besides its effects. */
interface Ended {
  readonly key: string;
  readonly status: string;
  readonly version: number;
  readonly rooms: number;
  readonly notes: readonly string[];
  /** Steps that a person has taken as done, and compensations too. */
  readonly skipped: readonly string[];
  readonly abandoned: readonly string[];
  /** The order of undoing is not asserted where a compensation was refused for good, for it holds up no other. */
  readonly reordered: boolean;
  readonly mail: string | null;
  readonly losses: number;
}

const ENDED = `select r.key, r.status, r.version, (r.data ->> 'rooms')::int as rooms, r.data -> 'notes' as notes,
    array(select distinct s.name from pawl.step s where s.run_id = r.id and s.status = 'skipped') as skipped,
    array(select s.name from pawl.step s where s.run_id = r.id and s.abandoned) as abandoned,
    exists (select 1 from pawl.operator_action a where a.run_id = r.id and a.action in ('redrive', 'skip') and a.outcome = 'done') as reordered,
    (select s.status from pawl.step s where s.run_id = r.id and s.name = 'mail' order by s.generation desc limit 1) as mail,
    (select count(*)::int from pawl.loss l where l.run_key = r.key and l.origin = 'step') as losses
  from pawl.run r order by r.key`;

/** What Pawl itself says, and must be so of each run at any time. */
const UNSOUND = `select r.key, r.status, r.revision, j.entries, j.last, r.parked_count, p.parked, r.due_at, r.lease_until from pawl.run r,
    lateral (select count(*) as entries, coalesce(max(revision), 0) as last from pawl.journal where run_id = r.id) j,
    lateral (select count(*) as parked from pawl.parked_event where run_id = r.id) p
  where r.revision <> j.entries or r.revision <> j.last or r.parked_count <> p.parked or r.parked_count > 0
    or r.due_at is not null or r.lease_until is not null or exists (select 1 from pawl.timer t where t.run_id = r.id)`;

/** What was begun, and of which nobody will ever say more; where a run was terminated or what it began is undone as unknown, that is as it is. */
const LEFT_OPEN = `select r.key, r.status as run, s.name, s.item, s.generation, s.status from pawl.step s join pawl.run r on r.id = s.run_id
  where r.status <> 'terminated' and s.name <> 'mail' and s.status in ('open', 'intent', 'retrying', 'in_doubt')
    and not (s.kind = 'step' and (s.abandoned or r.status in ('compensated', 'cancelled') or not s.in_doubt)
      or s.item >= 0 and r.status = 'completed' and exists (select 1 from pawl.step h where h.run_id = s.run_id and h.name = s.name and h.abandoned))`;

/** Behind which steps a step is begun: it is undone before them. */
const BEHIND: readonly (readonly [later: string, earlier: string])[] = [
  ['reserve', 'flight'],
  ['rooms', 'charge'],
  ...['pack', 'insure'].flatMap((later) =>
    ['flight', 'charge', 'rooms', 'reserve'].map((earlier): [string, string] => [later, earlier]),
  ),
  ['insure', 'pack'],
];

const COMPENSATIONS: Readonly<Record<string, string>> = {
  flight: 'cancelFlight',
  charge: 'refund',
  reserve: 'release',
  rooms: 'cancelRooms',
  pack: 'unpack',
  insure: 'cancelInsurance',
};

/** Everything that is not as it has to be, by the books of the provider and the application's own table. */
export async function findings({ rows }: Pick<TestEngine, 'rows'>, books: ProviderBooks): Promise<string[]> {
  const ended = await rows<Ended>(ENDED);
  const inside = await rows<Entry>(
    `select key as run, act, what, '' as key, (extract(epoch from at) * 1000)::float8 as "atMs" from app.effect order by id`,
  );
  const byRun = new Map<string, Entry[]>();
  for (const entry of [...books.entries, ...inside])
    byRun.set(entry.run, [...(byRun.get(entry.run) ?? []), entry]);
  const unsound = [...(await rows(UNSOUND)), ...(await rows(LEFT_OPEN))];
  return [
    ...books.wrong,
    ...unsound.map((row) => `unsound: ${JSON.stringify(row)}`),
    ...ended.flatMap((run) =>
      wrongWith(run, byRun.get(run.key) ?? []).map((text) => `${run.key} (${run.status}): ${text}`),
    ),
    ...[...books.mails]
      .filter(([, times]) => times > 1)
      .map(([key, times]) => `mail ${key} went out ${times} times`),
  ];
}

function wrongWith(run: Ended, entries: readonly Entry[]): string[] {
  const made = countsOf(entries, 'make');
  const undone = countsOf(entries, 'undo');
  const ofPerson = (what: string): boolean => {
    const step = stepOf(what);
    return run.skipped.includes(step) || run.skipped.includes(COMPENSATIONS[step] ?? '');
  };
  return [
    ...everyRun(run, made, undone),
    ...(run.status === 'completed' ? completed(run, made, undone, ofPerson) : []),
    ...(run.status === 'compensated' || run.status === 'cancelled' ? allUndone(made, undone, ofPerson) : []),
    ...(run.reordered || run.abandoned.length > 0 ? [] : undoneInTurn(entries)),
    ...mailOf(run, made),
  ];
}

function everyRun(run: Ended, made: Counts, undone: Counts): string[] {
  const twice = [...made].filter(([what, times]) => what !== 'mail' && times > 1);
  const undoneTwice = [...undone].filter(([what, times]) => times > (made.get(what) ?? 0));
  const pastReturn = made.has('ship')
    ? [...undone.keys()].filter((what) => !run.abandoned.includes(stepOf(what)))
    : [];
  return [
    ...twice.map(([what, times]) => `${what} was made ${times} times`),
    ...undoneTwice.map(
      ([what, times]) => `${what} was undone ${times} times, made ${made.get(what) ?? 0} times`,
    ),
    ...pastReturn.map((what) => `${what} was undone past the point of no return`),
    ...(new Set(run.notes).size < run.notes.length ? [`notes twice: ${run.notes.join()}`] : []),
  ];
}

/** Each effect once, and nothing undone; but for what was under way when the run was rebooked. */
function completed(run: Ended, made: Counts, undone: Counts, ofPerson: (what: string) => boolean): string[] {
  const rebooked = !run.mail || run.abandoned.length > 0;
  const inBooking = [
    'flight',
    'charge',
    'reserve',
    ...Array.from({ length: run.rooms }, (_, n) => `rooms/${n}`),
  ];
  const wanted = ['pack', 'ship', 'thank', ...(rebooked ? [] : inBooking)];
  const never = wanted.filter((what) => !made.has(what) && !ofPerson(what));
  const back = [...undone.keys()].filter((what) => !run.abandoned.includes(stepOf(what)));
  const left = run.abandoned.length > 0 ? [] : back;
  return [...never.map((what) => `${what} never happened`), ...left.map((what) => `${what} was undone`)];
}

function allUndone(made: Counts, undone: Counts, ofPerson: (what: string) => boolean): string[] {
  const undoable = [...made.keys()].filter((what) => stepOf(what) in COMPENSATIONS);
  const stays = undoable.filter((what) => !undone.has(what) && !ofPerson(what));
  return [
    ...stays.map((what) => `${what} was not undone`),
    ...(made.has('ship') && !ofPerson('ship') ? ['it was shipped, and has come to be undone'] : []),
  ];
}

function undoneInTurn(entries: readonly Entry[]): string[] {
  const when = (step: string): number[] =>
    entries.filter(({ act, what }) => act === 'undo' && stepOf(what) === step).map(({ atMs }) => atMs);
  return BEHIND.filter(
    ([later, earlier]) => Math.max(...when(later)) > Math.min(...when(earlier)) + CLOCKS_MS,
  ).map(([later, earlier]) => `${later} was undone after ${earlier}`);
}

/** What is done has left no loss, and what nobody knows has. */
function mailOf({ mail, losses }: Ended, made: Counts): string[] {
  const sent = made.get('mail') ?? 0;
  const isKnown = mail === null || mail === 'done' || mail === 'skipped';
  return [
    ...(mail === 'done' && sent === 0 ? ['the mail is done, and was not sent'] : []),
    ...(mail === 'done' && losses > 1 ? ['the mail is done, and is a loss'] : []),
    ...(!isKnown && sent > 0 && losses === 0 ? [`the mail is ${mail}, was sent, and is no loss`] : []),
  ];
}

type Counts = ReadonlyMap<string, number>;

function countsOf(entries: readonly Entry[], act: Entry['act']): Counts {
  const counts = new Map<string, number>();
  for (const entry of entries)
    if (entry.act === act) counts.set(entry.what, (counts.get(entry.what) ?? 0) + 1);
  return counts;
}

const stepOf = (what: string): string => what.split('/')[0] ?? '';

/** Two clocks of one machine, read to the millisecond. */
const CLOCKS_MS = 2;
