import { PawlError } from '@pawl/core';
import { isOver } from '../machine/is-over.js';
import type { Definition } from '../model/definition.js';
import type { ArrivingEvent } from '../model/event.js';
import type { Run } from '../model/run.js';
import type { KnownVersions } from '../store/claims.js';

/** The workflows that this process has, by name and version. Declared once, while the application boots. */
export class Definitions {
  private readonly byWorkflow = new Map<string, Definition[]>();
  private readonly byClass = new Map<object, Definition>();

  /** @param workflowClass the class that declares it, by which the client names it */
  declare(definition: Definition, workflowClass: object): void {
    const versions = [...(this.byWorkflow.get(definition.workflow) ?? []), definition];
    this.byWorkflow.set(
      definition.workflow,
      versions.toSorted((a, b) => a.version - b.version),
    );
    this.byClass.set(workflowClass, definition);
  }

  get all(): readonly Definition[] {
    return [...this.byWorkflow.values()].flat();
  }

  get known(): KnownVersions {
    return this.all;
  }

  /** The definition by which a run goes on, or is started; undefined if this process does not have its version. */
  of({ workflow, version }: Pick<Run, 'workflow' | 'version'>): Definition | undefined {
    const versions = this.byWorkflow.get(workflow);
    return version === null
      ? versions?.at(-1)
      : versions?.find((definition) => definition.version === version);
  }

  /**
   * The definition that decides events of a run: that of its version; of a run that is still awaited, that of the version that an event starts it in,
   * or else the newest. A run that has ended for good is decided by a newer one too, for nothing moves it any more and its class may be gone.
   */
  deciding(
    run: Pick<Run, 'workflow' | 'version' | 'status'>,
    events: readonly Pick<ArrivingEvent, 'startVersion'>[],
  ): Definition | undefined {
    const { workflow } = run;
    const version = run.version ?? events.find(({ startVersion }) => startVersion)?.startVersion ?? null;
    const own = this.of({ workflow, version });
    if (own || version === null || !isOver(run)) return own;
    return this.byWorkflow.get(workflow)?.find((definition) => definition.version > version);
  }

  /** @throws PawlError `workflow_unknown`: the class is no provider of this application. */
  ofClass(workflowClass: object & { readonly name?: string }): Definition {
    const definition = this.byClass.get(workflowClass);
    if (definition) return definition;
    throw new PawlError(
      'workflow_unknown',
      `${workflowClass.name ?? 'This class'} is no workflow of this application: decorate it and add it to a module's providers.`,
    );
  }

  /** The workflows that have a handler for events of this type. */
  consumersOf(type: string): string[] {
    const consumes = ({ handlers }: Definition): boolean => handlers.some((handler) => handler.type === type);
    return [...this.byWorkflow]
      .filter(([, versions]) => versions.some(consumes))
      .map(([workflow]) => workflow);
  }

  /** The versions of an event type that some workflow has a handler for. */
  versionsOf(type: string): readonly number[] {
    const handlers = this.all.flatMap((definition) => definition.handlers);
    return [
      ...new Set(handlers.filter((handler) => handler.type === type).map(({ typeVersion }) => typeVersion)),
    ];
  }

  /** All event types that some workflow has a handler for. */
  get eventTypes(): string[] {
    return [...new Set(this.all.flatMap(({ handlers }) => handlers.map(({ type }) => type)))];
  }
}
