import type { HintChannel, HintHandler } from '@pawl/workflow';

/** Hints within one process, as the `hintChannel` of an application under test: no queue is needed. Without a handler they are lost, as hints may be. */
export class LocalHints implements HintChannel {
  private handler: HintHandler | undefined;

  async send(hints: Parameters<HintChannel['send']>[0]): Promise<void> {
    for (const hint of hints) {
      void ('runId' in hint ? this.handler?.runs([hint.runId]) : this.handler?.event(hint));
    }
  }

  consume(handler: HintHandler): void {
    this.handler = handler;
  }

  async pause(): Promise<void> {
    this.handler = undefined;
  }

  async close(): Promise<void> {}
}
