import type { DataSource, QueryRunner } from 'typeorm';

/** Runs something after a TypeORM transaction of the caller's own has committed. For hints only: it may be lost. */
export class CallerCommits {
  private readonly waiting = new WeakMap<QueryRunner, (() => void)[]>();
  private listening = false;

  constructor(private readonly dataSource: DataSource) {}

  after(runner: QueryRunner, action: () => void): void {
    this.listen();
    const actions = this.waiting.get(runner);
    if (actions) actions.push(action);
    else this.waiting.set(runner, [action]);
  }

  private listen(): void {
    if (this.listening) return;
    this.listening = true;
    this.dataSource.subscribers.push({
      afterTransactionCommit: ({ queryRunner }) => this.notify(queryRunner),
      afterTransactionRollback: ({ queryRunner }) => this.forget(queryRunner),
    });
  }

  /** The release of a savepoint is announced as a commit too. */
  private notify(runner: QueryRunner): void {
    if (runner.isTransactionActive) return;
    const actions = this.waiting.get(runner) ?? [];
    this.waiting.delete(runner);
    for (const action of actions) action();
  }

  private forget(runner: QueryRunner): void {
    if (!runner.isTransactionActive) this.waiting.delete(runner);
  }
}
