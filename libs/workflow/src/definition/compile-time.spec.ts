import { resolve } from 'node:path';
import ts from 'typescript';

/** What the compiler says about members of a workflow class. All snippets are one program, so types are read once. */
const PRELUDE = `
import { RequestHandler, requestType } from '@pawl/messaging';
import { type CompensationContext, didNotHappen, happened, type StepContext, unknown } from '../model/step-context.js';
import { allItemsSeen } from './all-items-seen.js';
import { workflow } from './workflow.js';

class Submitted { customer = ''; }
class ItemAdded { index = 0; line = ''; }
class Accepted { itemCount = 0; }
interface Order { customer: string; lines: string[]; }
interface Invoice { amount: number; }
const quote = requestType<{ sku: string }, { cents: number }>({ name: 'shop.quote' });
const order = workflow<Order>()('order', { version: 1, states: ['Open', 'Busy', 'Closed'], final: ['Closed'] });
`;

const member = (code: string) => `@order.Workflow() export class W {\n${code}\n}`;

/** What a caller writes of a workflow that can be asked. */
const caller = (code: string) => `
import type { WorkflowClient } from '../engine/client/workflow-client.js';
declare const client: WorkflowClient;
${member(`
  @order.Query() total(data: Readonly<Order>, { cents }: { cents: number }) { return data.lines.length * cents; }
  @order.Query() first(data: Order) { return data.lines[0]; }
  @order.Update({ in: 'Open', input: ItemAdded }) change(data: Order, { line }: ItemAdded) { return data.lines.push(line); }
  @order.Update({ in: ['Open', 'Busy'], to: 'Closed' }) close(data: Order) { data.lines = []; }
  @order.Status() status(data: Order, { state }: { state: 'Open' | 'Busy' | 'Closed' }) { return { state, by: data.customer }; }
  @order.On(Submitted, { start: true, to: 'Open' }) submitted(data: Order, event: Submitted) { data.customer = event.customer; }
  @order.Step({ in: 'Busy' }) async charge({ data }: StepContext<Order>) { return data.customer; }
`)}
export const asked = async () => { ${code} };`;

/** A class with a step that returns a receipt. */
const paid = (code: string) =>
  member(`@order.Step({ in: 'Busy', effect: 'external' })
    async charge() { return { receipt: 'r' }; }
    ${code}`);

const fine: Record<string, string> = {
  'the whole of a workflow': member(`
    constructor(private readonly greeting: string) {}
    @order.On(Submitted, { start: true, to: 'Open' })
    submitted(data: Order, event: Submitted) { data.customer = this.greeting + event.customer; }
    @order.On(ItemAdded, { in: ['Open', 'Busy'], item: (e) => e.index, same: (data, e) => data.lines[e.index] === e.line })
    itemAdded(data: Order, event: ItemAdded) { data.lines[event.index] = event.line; }
    @order.On(Accepted, { in: 'Open', to: 'Busy', when: allItemsSeen(ItemAdded, (e) => e.itemCount), parkedFor: '24h' })
    accepted() {}
    @order.Timeout({ in: 'Open', after: '30m', to: 'Closed' })
    expired() {}
    @order.Timeout({ in: ['Open', 'Busy'], after: 500, attention: 'slow' })
    slow(data: Order) { data.customer = ''; }
    @order.Step({ in: 'Busy', retry: { attempts: 3, backoff: 'fixed', delay: '1s', delayMax: '1.5m' }, timeout: '500ms' })
    async charge({ data, idempotencyKey }: StepContext<Order>) { return data.customer + idempotencyKey; }
    @order.Step({ in: 'Busy', to: 'Closed', effect: 'external', alone: true })
    async release() {}`),
  'what bounds a run and a step': member(`
    @order.Deadline({ after: '30d', to: 'Closed', undo: true })
    tooLate() {}
    @order.Deadline({ at: (data) => data.customer, attention: 'slow' })
    slow(data: Order) { data.customer = ''; }
    @order.Timeout({ in: 'Open', at: () => new Date(), to: 'Closed', undo: true })
    expired() {}
    @order.On(Accepted, { in: 'Open', to: 'Closed', undo: true, competes: true })
    calledOff() {}
    @order.Step({ in: 'Busy', effect: 'external', guarantee: 'at-most-once', delay: '1d', deadline: '2d', onFailure: 'stop' })
    async mail() {}
    @order.Step({ in: 'Busy', to: 'Closed', noReturn: true })
    async ship() {}`),
  'steps that name each other, and run for each item': member(`
    @order.Step({ in: 'Busy', after: [], forEach: { items: (data) => data.lines, concurrency: 2, onItemFailure: 'continue' } })
    async pack({ index, item }: StepContext<Order>) { return { index, item }; }
    @order.Step({ in: 'Busy', after: [] })
    async charge() { return 'receipt'; }
    @order.Step({ in: 'Busy', after: ['pack', 'charge'] })
    async label() {}
    @order.Step({ in: 'Busy', forEach: { items: (_, outputs) => Number(outputs['label']) } })
    async count() {}`),
  'a request of another service': member(`@order.Step({ in: 'Open', to: 'Busy', effect: 'external' })
    async ask({ request, data }: StepContext<Order>): Promise<number> {
      return (await request('http://shop/requests', { type: quote, body: { sku: data.customer } })).cents;
    }`),
  'a handler of requests': `export class Shop {
    @RequestHandler(quote) async quote({ sku }: { sku: string }) { return { cents: sku.length }; }
    @RequestHandler(quote) fixed() { return { cents: 1 }; }
  }`,
  'an event class with a private constructor': `class Made { private constructor(readonly by: string) {} static by(by: string) { return new Made(by); } }
    abstract class Base { abstract readonly by: string; }
    ${member(`@order.On(Base, { in: 'Open', key: (e) => e.by }) base(_: Order, event: Base) { return void event.by; }`)}
    export const made = Made.by('x');`,
  'what a run is asked': caller(`
    const total: number = await client.query(W, 'k', 'total', { cents: 7 });
    const first: string | undefined = await client.query(W, 'k', 'first');
    const length: number = await client.update(W, 'k', 'change', { index: 0, line: 'x' }, { id: 'u' });
    await client.update(W, 'k', 'close');
    await client.update(W, 'k', 'close', undefined, { id: 'u' });
    const { state, by }: { state: 'Open' | 'Busy' | 'Closed'; by: string } = await client.status(W, 'k');
    return { total, first, length, state, by };`),
  'the status of a workflow that does not say it': `
    import type { WorkflowClient } from '../engine/client/workflow-client.js';
    declare const client: WorkflowClient;
    ${member(`@order.On(Submitted, { start: true, to: 'Open' }) submitted() {}`)}
    export const ended = async (): Promise<boolean> => (await client.status(W, 'k')).ended;`,
  'a guard of its own': member(
    `@order.On(Accepted, { in: 'Open', when: (data, e) => data.lines.length === e.itemCount }) accepted() {}`,
  ),
  'a migration of other states and data': member(`@order.Migrate({ from: 1 })
    fromFirst({ state, data }: { state: 'Begun' | 'Busy'; data: { lines: string[] } }) {
      return { state: state === 'Begun' ? ('Open' as const) : state, data: { ...data, customer: '' } };
    }`),
  'a compensation that is told what its step returned': paid(
    `@order.Compensate('charge', { retry: { attempts: 3 } })
     async refund(context: CompensationContext<Order, { receipt: string }>) {
       return context.outcome === 'done' ? context.output.receipt : context.undoneKey;
     }`,
  ),
  'a compensation that asks for nothing': paid(`@order.Compensate('charge') async refund() {}`),
  'a confirmation that answers each way': paid(
    `@order.Confirm('charge', { unknown: 'retry' })
     async wasCharged({ attempt }: StepContext<Order>) {
       if (attempt > 2) return unknown();
       return attempt > 1 ? didNotHappen() : happened({ receipt: 'r' });
     }`,
  ),
  'a handler that takes less than it is given': member(
    `@order.On(Accepted, { in: 'Open' }) accepted(_data: Order) {}`,
  ),
};

const refused: Record<string, [snippet: string, error: string]> = {
  'a compensation of a step that there is not': [
    paid(`@order.Compensate('chrage') async refund() {}`),
    `Property 'chrage' is missing in type 'W'`,
  ],
  'a compensation that expects something else': [
    paid(`@order.Compensate('charge') async refund(_: CompensationContext<Order, { refund: number }>) {}`),
    `is not assignable to`,
  ],
  'a compensation that takes the output for granted': [
    paid(
      `@order.Compensate('charge') async refund({ output }: CompensationContext<Order, { receipt: string }>) { return output.receipt; }`,
    ),
    `'output' is possibly 'undefined'`,
  ],
  'a compensation that is not async': [
    paid(`@order.Compensate('charge') refund() { return 1; }`),
    `is not assignable to`,
  ],
  'a confirmation of a step that there is not': [
    paid(`@order.Confirm('chrage') async wasCharged() { return unknown(); }`),
    `Property 'chrage' is missing in type 'W'`,
  ],
  'a confirmation of another output': [
    paid(`@order.Confirm('charge') async wasCharged() { return happened({ refund: 1 }); }`),
    `is not assignable to`,
  ],
  'a confirmation that answers yes or no': [
    paid(`@order.Confirm('charge') async wasCharged() { return true; }`),
    `is not assignable to`,
  ],
  'an unknown state in `in`': [
    member(`@order.On(Accepted, { in: 'Opened' }) accepted() {}`),
    `'"Opened"' is not assignable`,
  ],
  'an update in an unknown state': [
    member(`@order.Update({ in: 'Bust' }) change() {}`),
    `'"Bust"' is not assignable`,
  ],
  'an update to an unknown state': [
    member(`@order.Update({ in: 'Open', to: 'Bust' }) change() {}`),
    `'"Bust"' is not assignable`,
  ],
  'an update of another input than it declares': [
    member(`@order.Update({ in: 'Open', input: ItemAdded }) change(_: Order, _input: Accepted) {}`),
    `Property 'itemCount' is missing in type 'ItemAdded'`,
  ],
  'an async update': [
    member(`@order.Update({ in: 'Open' }) async change() {}`),
    `'Promise<void>' is not assignable`,
  ],
  'an async query': [
    member(`@order.Query() async total() { return 1; }`),
    `Type 'Promise<number>' is not assignable`,
  ],
  'a query that answers nothing': [
    member(`@order.Query() total() {}`),
    `Type 'void' is not assignable to type 'PlainAnswer'`,
  ],
  'a query of other data': [
    member(`@order.Query() total({ amount }: Invoice) { return amount; }`),
    `Property 'amount' is missing in type 'Readonly<Order>'`,
  ],
  'a status under another name': [
    member(`@order.Status() said(data: Order) { return data.customer; }`),
    `'"said"' is not assignable to parameter of type '"status"'`,
  ],
  'a question after a method that there is not': [
    caller(`await client.query(W, 'k', 'totals')`),
    `'"totals"' is not assignable to parameter of type`,
  ],
  'a question after a handler': [
    caller(`await client.query(W, 'k', 'submitted', new Submitted())`),
    `'"submitted"' is not assignable to parameter of type`,
  ],
  'an update by a step': [
    caller(`await client.update(W, 'k', 'charge')`),
    `'"charge"' is not assignable to parameter of type`,
  ],
  'a question with other arguments': [
    caller(`await client.query(W, 'k', 'total', { cents: '7' })`),
    `Type 'string' is not assignable to type 'number'`,
  ],
  'a question without its arguments': [
    caller(`await client.query(W, 'k', 'total')`),
    'Expected 4 arguments, but got 3',
  ],
  'an update with another input': [
    caller(`await client.update(W, 'k', 'change', { index: 0 })`),
    `Property 'line' is missing`,
  ],
  'an answer of another type': [
    caller(`const n: string = await client.update(W, 'k', 'change', new ItemAdded()); return n;`),
    `Type 'number' is not assignable to type 'string'`,
  ],
  'a request with another body': [
    member(
      `@order.Step({ in: 'Open', effect: 'external' }) async ask({ request }: StepContext<Order>) { await request('', { type: quote, body: { sku: 7 } }); }`,
    ),
    `Type 'number' is not assignable to type 'string'`,
  ],
  'another answer than that of the request': [
    member(
      `@order.Step({ in: 'Open', effect: 'external' }) async ask({ request }: StepContext<Order>): Promise<string> { return request('', { type: quote, body: { sku: '' } }); }`,
    ),
    `is not assignable to type 'string'`,
  ],
  'a handler of requests with another answer': [
    `export class Shop { @RequestHandler(quote) async quote() { return { cents: '1' }; } }`,
    `is not assignable`,
  ],
  'a handler of requests with another body': [
    `export class Shop { @RequestHandler(quote) async quote({ sku }: { sku: number }) { return { cents: sku }; } }`,
    `is not assignable`,
  ],
  'an unknown state among several': [
    member(`@order.On(Accepted, { in: ['Open', 'Bust'] }) accepted() {}`),
    `'"Bust"' is not assignable`,
  ],
  'an unknown state in `to`': [
    member(`@order.On(Accepted, { in: 'Open', to: 'Bust' }) accepted() {}`),
    `'"Bust"' is not assignable`,
  ],
  'a step that waits for none of its class': [
    member(
      `@order.Step({ in: 'Open' }) async pack() {} @order.Step({ in: 'Open', after: ['pakc'] }) async label() {}`,
    ),
    `Property 'pakc' is missing in type 'W'`,
  ],
  'items that are neither a list nor a count': [
    member(`@order.Step({ in: 'Open', forEach: { items: (data) => data.customer } }) async pack() {}`),
    `Type 'string' is not assignable to type 'number | readonly unknown[]'`,
  ],
  'an unknown consequence of an item that fails': [
    member(`@order.Step({ in: 'Open', forEach: { items: () => 1, onItemFailure: 'skip' } }) async pack() {}`),
    `Type '"skip"' is not assignable`,
  ],
  'an unknown state of a step': [
    member(`@order.Step({ in: 'Bust' }) async work() {}`),
    `'"Bust"' is not assignable`,
  ],
  'an unknown state of a timeout': [
    member(`@order.Timeout({ in: 'Open', after: '1m', to: 'Bust' }) expired() {}`),
    `'"Bust"' is not assignable`,
  ],
  'an unknown state of a deadline': [
    member(`@order.Deadline({ after: '1d', to: 'Bust' }) late() {}`),
    `'"Bust"' is not assignable`,
  ],
  'a deadline that is both a duration and an instant': [
    member(`@order.Deadline({ after: '1d', at: () => 1, to: 'Closed' }) late() {}`),
    `is not assignable`,
  ],
  'a deadline of a state': [
    member(`@order.Deadline({ in: 'Open', after: '1d', to: 'Closed' }) late() {}`),
    `'in' does not exist in type`,
  ],
  'an undo that leads nowhere': [
    member(`@order.Timeout({ in: 'Open', after: '1d', attention: 'slow', undo: true }) late() {}`),
    `is not assignable`,
  ],
  'a promise that there is not': [
    member(`@order.Step({ in: 'Busy', effect: 'external', guarantee: 'exactly-once' }) async mail() {}`),
    `Type '"exactly-once"' is not assignable`,
  ],
  'an unknown final state': [
    `export const w = workflow<Order>()('w', { version: 1, states: ['A', 'B'], final: ['C'] });`,
    `'"C"' is not assignable to type '"A" | "B"'`,
  ],
  'a workflow without states': [
    `export const w = workflow<Order>()('w', { version: 1, states: [], final: [] });`,
    'Source has 0 element(s) but target requires 1',
  ],
  'an event of another class': [
    member(`@order.On(Accepted, { in: 'Open' }) accepted(_data: Order, _event: ItemAdded) {}`),
    `Type 'Accepted' is missing the following properties from type 'ItemAdded'`,
  ],
  'data of another type': [
    member(`@order.On(Accepted, { in: 'Open' }) accepted(_data: Invoice) {}`),
    `Property 'amount' is missing in type 'Order'`,
  ],
  'an async handler': [
    member(`@order.On(Accepted, { in: 'Open' }) async accepted() {}`),
    `'Promise<void>' is not assignable`,
  ],
  'a handler that returns something': [
    member(`@order.On(Accepted, { in: 'Open' }) accepted(data: Order) { return data.lines; }`),
    `'string[]' is not assignable`,
  ],
  'an async timeout': [
    member(`@order.Timeout({ in: 'Open', after: '1m', to: 'Busy' }) async expired() {}`),
    `'Promise<void>' is not assignable`,
  ],
  'a step that is not async': [
    member(`@order.Step({ in: 'Busy' }) work() {}`),
    `Type 'void' is not assignable to type 'Promise<unknown>'`,
  ],
  'a step for other data': [
    member(`@order.Step({ in: 'Busy' }) async work(_context: StepContext<Invoice>) {}`),
    `Property 'amount' is missing in type 'Readonly<Order>'`,
  ],
  'a decorator on a property': [
    member(`@order.Step({ in: 'Busy' }) work = async () => undefined;`),
    'Unable to resolve signature of property decorator',
  ],
  'an item that is no number': [
    member(`@order.On(ItemAdded, { in: 'Open', item: (e) => e.line }) itemAdded() {}`),
    `'string' is not assignable to type 'number'`,
  ],
  'a key that is no string': [
    member(`@order.On(ItemAdded, { in: 'Open', key: (e) => e.index }) itemAdded() {}`),
    `'number' is not assignable to type 'string'`,
  ],
  'a property that the event does not have': [
    member(`@order.On(ItemAdded, { in: 'Open', item: (e) => e.itemCount }) itemAdded() {}`),
    `Property 'itemCount' does not exist on type 'ItemAdded'`,
  ],
  'an item count of another event': [
    member(
      `@order.On(ItemAdded, { in: 'Open', when: allItemsSeen(ItemAdded, (e: Accepted) => e.itemCount) }) added() {}`,
    ),
    `Property 'itemCount' is missing in type 'ItemAdded'`,
  ],
  'an async guard': [
    member(`@order.On(Accepted, { in: 'Open', when: async () => true }) accepted() {}`),
    `'Promise<boolean>' is not assignable`,
  ],
  'a guard that writes': [
    member(`@order.On(Accepted, { in: 'Open', when: (data) => (data.customer = '') === '' }) accepted() {}`),
    `Cannot assign to 'customer' because it is a read-only property`,
  ],
  'a start without a state': [
    member(`@order.On(Submitted, { start: true }) submitted() {}`),
    `Property 'to' is missing`,
  ],
  'a start that is accepted too': [
    member(`@order.On(Submitted, { start: true, in: 'Open', to: 'Open' }) submitted() {}`),
    `Type 'string' is not assignable to type`,
  ],
  'a handler without a state': [
    member(`@order.On(Accepted, { to: 'Busy' }) accepted() {}`),
    `Property 'in' is missing`,
  ],
  'a timeout that does nothing': [
    member(`@order.Timeout({ in: 'Open', after: '1m' }) expired() {}`),
    `is not assignable to parameter of type 'TimeoutOptions`,
  ],
  'a timeout that moves on and stays': [
    member(`@order.Timeout({ in: 'Open', after: '1m', to: 'Busy', attention: 'x' }) expired() {}`),
    `is not assignable`,
  ],
  'a migration to a state that is not there': [
    member(`@order.Migrate({ from: 1 }) from(run: { state: 'Begun'; data: Order }) { return run; }`),
    `'"Begun"' is not assignable to type '"Open" | "Busy" | "Closed"'`,
  ],
  'a migration to other data': [
    member(`@order.Migrate({ from: 1 }) from(run: { state: 'Busy'; data: Invoice }) { return run; }`),
    `Type 'Invoice' is missing the following properties from type 'Order'`,
  ],
  'an async migration': [
    member(`@order.Migrate({ from: 1 }) async from(run: { state: 'Busy'; data: Order }) { return run; }`),
    `missing the following properties from type '{ readonly state`,
  ],
  'a duration without a unit': [
    member(`@order.Timeout({ in: 'Open', after: '30', to: 'Busy' }) expired() {}`),
    `'"30"' is not assignable`,
  ],
  'a duration in another unit': [
    member(`@order.Step({ in: 'Busy', timeout: '2 weeks' }) async work() {}`),
    `'"2 weeks"' is not assignable`,
  ],
};

/** Stand-ins for what is large and plays no part here: the compiler would read most of node_modules. */
const STAND_INS: Record<string, string> = {
  '@pawl/messaging': `
    export * from '../../../messaging/src/exchange/request-handler.js';
    export * from '../../../messaging/src/exchange/request-type.js';
    export * from '../../../messaging/src/message-type.js';
    export * from '../../../messaging/src/outgoing-message.js';
    export * from '../../../messaging/src/route.js';`,
  typeorm: 'export declare class EntityManager { readonly connection: unknown; }',
  ajv: 'export declare class Ajv {} export type AnySchemaObject = object; export type ValidateFunction = () => boolean;',
};

const snippets: Record<string, string> = {
  ...fine,
  ...Object.fromEntries(Object.entries(refused).map(([name, [snippet]]) => [name, snippet])),
};
const errors = compile(snippets);

it.each(Object.keys(fine))('accepts %s', (name) => {
  expect(errors.get(name)).toEqual([]);
});

it.each(Object.entries(refused))('refuses %s', (name, [, error]) => {
  expect(errors.get(name)).toEqual([expect.stringContaining(error)]);
});

/** The errors of each snippet, by its name. */
function compile(sources: Record<string, string>): Map<string, string[]> {
  const root = resolve(import.meta.dirname, '../../../..');
  const { config } = ts.readConfigFile(resolve(root, 'tsconfig.base.json'), (path) => ts.sys.readFile(path));
  const { options } = ts.parseJsonConfigFileContent({ ...config, files: [] }, ts.sys, root);
  const pathOf = (name: string) => resolve(import.meta.dirname, `virtual-${name.replace(/\W/g, '-')}.ts`);
  const names = Object.keys(sources);
  const texts = new Map([
    ...names.map((name) => [pathOf(name), PRELUDE + sources[name]] as const),
    ...Object.entries(STAND_INS).map(([name, text]) => [pathOf(name), text] as const),
  ]);
  const paths = Object.fromEntries(Object.keys(STAND_INS).map((name) => [name, [pathOf(name)]]));
  const host = ts.createCompilerHost(options);
  host.fileExists = (path) => texts.has(path) || ts.sys.fileExists(path);
  host.readFile = (path) => texts.get(path) ?? ts.sys.readFile(path);
  const rootNames = names.map(pathOf);
  const customConditions = ['pawl-source'];
  const program = ts.createProgram({
    rootNames,
    options: { ...options, types: [], paths, customConditions },
    host,
  });
  return new Map(names.map((name) => [name, errorsIn(program, pathOf(name))]));
}

function errorsIn(program: ts.Program, path: string): string[] {
  const source = program.getSourceFile(path);
  const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
  return found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}
