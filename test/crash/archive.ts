import { type MessageConsumer, MessagingRuntime, messageTypeOf } from '@pawl/messaging';
import { testKeys } from '@pawl/testing';
import { DataSource } from 'typeorm';
import { Finished, Ordered } from './errand.js';

export interface ArchiveOptions {
  readonly databaseUrl: string;
  readonly busUrl: string;
  readonly prefix: string;
}

/** The service that the errands' messages go to. */
export class Archive {
  private messaging: MessagingRuntime | undefined;

  private constructor(
    private readonly dataSource: DataSource,
    readonly options: ArchiveOptions,
  ) {}

  /** Opens its database. Nothing is received before `receive`. */
  static async open(options: ArchiveOptions): Promise<Archive> {
    const dataSource = new DataSource({
      type: 'postgres',
      url: options.databaseUrl,
      installExtensions: false,
    });
    await dataSource.initialize();
    await dataSource.query('create table if not exists told (key text not null, type text not null)');
    return new Archive(dataSource, options);
  }

  async receive(): Promise<void> {
    const { busUrl, prefix } = this.options;
    this.messaging = new MessagingRuntime(this.dataSource, {
      service: 'archive',
      keys: testKeys,
      busUrl,
      prefix,
    });
    this.messaging.consumers.register(
      [Ordered, Finished].map((type) => messageTypeOf(type).name),
      tells,
    );
    await this.messaging.start();
  }

  async rest(): Promise<void> {
    await this.messaging?.stop();
    this.messaging = undefined;
  }

  /** What has arrived about these runs, every time it did. */
  async told(keys: readonly string[]): Promise<Record<string, string[]>> {
    const rows = (await this.dataSource.query(
      `select key, array_agg(type order by type) as types from told where key = any ($1) group by key`,
      [keys],
    )) as { key: string; types: string[] }[];
    return Object.fromEntries(rows.map(({ key, types }) => [key, types]));
  }

  async close(): Promise<void> {
    await this.rest();
    await this.dataSource.destroy();
  }
}

const tells: MessageConsumer = {
  name: 'archive',
  async handle(envelopes, tx) {
    const { manager, revoke } = tx.lend();
    for (const { subject, type } of envelopes)
      await manager.query('insert into told values ($1, $2)', [subject, type]);
    revoke();
    return [];
  },
};
