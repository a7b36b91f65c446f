import type { DiscoveryService, MetadataScanner } from '@nestjs/core';

/** A method of some provider or controller of the application. */
export interface Member {
  /** As the class has it, for what a decorator has put on it. */
  readonly method: unknown;
  /** Class and method, for errors. */
  readonly name: string;
  /** Bound to its instance. */
  readonly call: (...args: never[]) => unknown;
}

/** All methods of the application's providers and controllers, each instance once. */
export function* membersOf(discovery: DiscoveryService, scanner: MetadataScanner): Generator<Member> {
  const instances = [...discovery.getProviders(), ...discovery.getControllers()]
    .filter((wrapper) => wrapper.isDependencyTreeStatic() && wrapper.instance)
    .map(({ instance }) => instance as Record<string, unknown>);
  for (const instance of new Set(instances)) {
    const prototype = Object.getPrototypeOf(instance) as object | null;
    if (prototype === null) continue;
    for (const member of scanner.getAllMethodNames(prototype)) {
      const method = instance[member];
      if (typeof method !== 'function') continue;
      const call = method.bind(instance) as Member['call'];
      yield { method, name: `${instance.constructor.name}.${member}`, call };
    }
  }
}
