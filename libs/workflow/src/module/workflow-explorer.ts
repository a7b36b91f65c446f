import { Injectable } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { isWorkflow } from '../definition/declaration.js';
import { verify } from '../definition/verify.js';
import type { Definitions } from '../engine/definitions.js';

/** Finds the providers that are workflows. */
@Injectable()
export class WorkflowExplorer {
  constructor(private readonly discovery: DiscoveryService) {}

  /** @throws RefusedToBootError `workflow_invalid` with all problems of all workflows */
  declareAll(definitions: Definitions): void {
    const instances = this.discovery.getProviders().map(({ instance }) => instance as unknown);
    const workflows = [...new Set(instances.filter(isWorkflow))];
    verify(workflows).forEach((definition, n) => {
      const workflow = workflows[n];
      if (workflow) definitions.declare(definition, workflow.constructor);
    });
  }
}
