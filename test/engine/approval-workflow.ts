import { MessageType } from '@pawl/messaging';
import { workflow } from '@pawl/workflow';

@MessageType({ name: 'approval.requested', version: 1 })
export class Requested {
  constructor(readonly dueAt?: string) {}
}

@MessageType({ name: 'approval.postponed', version: 1 })
export class Postponed {
  constructor(readonly dueAt: string) {}
}

@MessageType({ name: 'approval.checked', version: 1 })
export class Checked {}

@MessageType({ name: 'approval.approved', version: 1 })
export class Approved {
  constructor(readonly by: string) {}
}

@MessageType({ name: 'approval.rejected', version: 1 })
export class Rejected {
  constructor(readonly by: string) {}
}

@MessageType({ name: 'approval.withdrawn', version: 1 })
export class Withdrawn {}

export interface Approval {
  by?: string;
  dueAt?: string;
}

const approval = workflow<Approval>()('approval', {
  version: 1,
  states: ['Checking', 'Deciding', 'Approved', 'Rejected', 'Expired'],
  final: ['Approved', 'Rejected', 'Expired'],
});

/** A document that waits for a decision: the first of approval, rejection and time wins. */
@approval.Workflow()
export class ApprovalWorkflow {
  @approval.On(Requested, { start: true, to: 'Checking' })
  requested(data: Approval, { dueAt }: Requested): void {
    if (dueAt !== undefined) data.dueAt = dueAt;
  }

  @approval.On(Checked, { in: 'Checking', to: 'Deciding', competes: true })
  checked(): void {}

  @approval.On(Postponed, { in: ['Checking', 'Deciding'], key: ({ dueAt }) => dueAt, competes: true })
  postponed(data: Approval, { dueAt }: Postponed): void {
    data.dueAt = dueAt;
  }

  @approval.On(Approved, { in: 'Deciding', to: 'Approved', competes: true })
  approved(data: Approval, { by }: Approved): void {
    data.by = by;
  }

  @approval.On(Rejected, { in: 'Deciding', to: 'Rejected', competes: true })
  rejected(data: Approval, { by }: Rejected): void {
    data.by = by;
  }

  @approval.On(Withdrawn, { in: ['Checking', 'Deciding'], to: 'Rejected', competes: true, late: 'ignore' })
  withdrawn(): void {}

  @approval.Timeout({ in: 'Deciding', after: '7d', to: 'Expired' })
  undecided(): void {}

  @approval.Deadline({ after: '30d', to: 'Expired' })
  tooLong(): void {}

  @approval.Deadline({ at: ({ dueAt }) => dueAt, to: 'Expired' })
  overdue(): void {}
}
