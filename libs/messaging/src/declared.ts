import type { Guarantee, KeyOrder, Route } from './route.js';

/** A route that this process has declared. */
export interface DeclaredRoute {
  readonly to: string;
  readonly guarantee: Guarantee;
  /** `none`, or what a dead letter does to those behind it, of its key. */
  readonly order: 'none' | KeyOrder;
  readonly transport: 'bus' | 'feed';
  readonly partitions: number;
}

/** An entrance whose callers can not settle: what comes again within the window is recognised. */
export interface DeclaredWindow {
  readonly entrance: 'webhook' | 'exchange' | 'idempotency-key';
  /** The source of webhooks; else empty. */
  readonly name: string;
  readonly windowMs: number;
}

const routes = new Map<string, DeclaredRoute>();
const windows = new Map<string, DeclaredWindow>();

/** For those who declare: an operator can then see it. The same again is noted once. */
export function noteRoute({ to, guarantee, keyOrder, pulled, partitions }: Route): void {
  const route: DeclaredRoute = {
    to,
    guarantee,
    order: keyOrder ?? 'none',
    transport: pulled ? 'feed' : 'bus',
    partitions,
  };
  routes.set(JSON.stringify(route), route);
}

export function noteWindow(window: DeclaredWindow): void {
  windows.set(`${window.entrance} ${window.name}`, window);
}

/** What this process has promised by its declarations: of the messages it sends, and of what comes in without a number. */
export function declared(): { readonly routes: DeclaredRoute[]; readonly windows: DeclaredWindow[] } {
  return { routes: sorted(routes), windows: sorted(windows) };
}

function sorted<T>(map: ReadonlyMap<string, T>): T[] {
  return [...map].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
}
