import { canonicalJson } from '@pawl/core';

/** A graph as it is kept: plain JSON, of this release or of an earlier one. */
export type KeptGraph = object;

/**
 * What has changed between two graphs of one workflow version, one line each: `step charge: effect was transactional; is external`. It knows nothing
 * of what a graph is made of: lists of members are compared member by member, whatever fields they have, so a field that a later release adds shows
 * by itself. A field that is null and one that is missing are the same: both are the default.
 */
export function graphDiff(before: KeptGraph, now: KeptGraph): string[] {
  const [was, is]: [Fields, Fields] = [{ ...before }, { ...now }];
  const parts = union(Object.keys(was), Object.keys(is)).filter((part) => !NAMES.includes(part));
  return parts.flatMap((part) => partDiff(part, was[part], is[part]));
}

type Fields = Readonly<Record<string, unknown>>;

/** They name the graph: both have them, and they are equal. */
const NAMES: readonly string[] = ['workflow', 'version'];

function partDiff(part: string, before: unknown, now: unknown): string[] {
  if (same(before, now)) return [];
  const lists = [before ?? [], now ?? []] as const;
  const [was, is] = lists;
  if (!Array.isArray(was) || !Array.isArray(is)) return [`${part} was ${shown(before)}; is ${shown(now)}`];
  if ([...was, ...is].every(isMember)) return membersDiff(part, was as Fields[], is as Fields[]);
  return namesDiff(part, was.map(shown), is.map(shown));
}

/** Of a list of plain names, whose order counts: states are ranked by it. */
function namesDiff(part: string, was: readonly string[], is: readonly string[]): string[] {
  const one = singular(part);
  const gone = was.filter((name) => !is.includes(name)).map((name) => `${one} ${name} is gone`);
  const added = is.filter((name) => !was.includes(name)).map((name) => `${one} ${name} is new`);
  return [...gone, ...added, ...orderDiff(`${part} were in the order`, was, is)];
}

function membersDiff(part: string, was: readonly Fields[], is: readonly Fields[]): string[] {
  const [before, now] = named(was, is);
  const one = singular(part);
  const changed = union([...before.keys()], [...now.keys()]).flatMap((name) => {
    const [old, young] = [before.get(name), now.get(name)];
    if (old === undefined) return [`${one} ${name} is new: ${facts(young)}`];
    if (young === undefined) return [`${one} ${name} is gone; it was ${facts(old)}`];
    return fieldsDiff(`${one} ${name}`, old, young);
  });
  return ORDERED_IN_STATE.includes(part) ? [...changed, ...stepOrderDiff(part, was, is)] : changed;
}

/** Members that run in the order of their declaration, state by state. */
const ORDERED_IN_STATE: readonly string[] = ['steps'];

function stepOrderDiff(part: string, was: readonly Fields[], is: readonly Fields[]): string[] {
  return [...new Set(was.map((member) => shown(member['in'])))].flatMap((state) => {
    const names = (members: readonly Fields[]) =>
      members.filter((member) => shown(member['in']) === state).map(nameOf);
    return orderDiff(`${part} of ${state} were in the order`, names(was), names(is));
  });
}

function fieldsDiff(what: string, was: Fields, is: Fields): string[] {
  return union(Object.keys(was), Object.keys(is))
    .filter((field) => !same(was[field], is[field]))
    .map((field) => `${what}: ${field} was ${shown(was[field])}; is ${shown(is[field])}`);
}

function orderDiff(what: string, was: readonly string[], is: readonly string[]): string[] {
  const kept = was.filter((name) => is.includes(name));
  const now = is.filter((name) => was.includes(name));
  return same(kept, now) ? [] : [`${what} ${kept.join(', ')}; are in the order ${now.join(', ')}`];
}

/** Members by name; one that is declared for several states, in either graph, by name and state. */
function named(was: readonly Fields[], is: readonly Fields[]): [Map<string, Fields>, Map<string, Fields>] {
  const repeats = [was, is].flatMap((members) => repeatedIn(members.map(nameOf)));
  const full = (member: Fields): string => {
    const name = nameOf(member);
    return repeats.includes(name) ? `${name} in ${shown(member['in'])}` : name;
  };
  const byName = (members: readonly Fields[]) => new Map(members.map((member) => [full(member), member]));
  return [byName(was), byName(is)];
}

function isMember(value: unknown): value is Fields {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && nameOf(value as Fields) !== ''
  );
}

function nameOf(member: Fields): string {
  const name = member['member'] ?? member['name'];
  return typeof name === 'string' ? name : '';
}

/** `in Filed, to Checked, effect transactional`: what is not the default. */
function facts(member: Fields | undefined): string {
  const fields = Object.entries(member ?? {}).filter(
    ([field, value]) =>
      !['member', 'name'].includes(field) && ![UNSET, NONE].includes(shown(value)) && value !== false,
  );
  return fields.map(([field, value]) => `${field} ${value === true ? 'yes' : shown(value)}`).join(', ');
}

function shown(value: unknown): string {
  if (value === undefined || value === null) return UNSET;
  if (typeof value === 'string') return value;
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value.join(', ') || NONE;
  return JSON.stringify(value);
}

const UNSET = 'not set';
const NONE = 'none';

function singular(part: string): string {
  return part.replace(/ies$/, 'y').replace(/s$/, '');
}

function same(a: unknown, b: unknown): boolean {
  return canonicalJson(a ?? null) === canonicalJson(b ?? null);
}

function union(a: readonly string[], b: readonly string[]): string[] {
  return [...new Set([...a, ...b])];
}

function repeatedIn(names: readonly string[]): string[] {
  return names.filter((name, n) => names.indexOf(name) !== n);
}
