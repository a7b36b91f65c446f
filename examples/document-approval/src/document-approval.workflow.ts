import { type StatusPosition, type StepContext, UpdateRefusedError, workflow } from '@pawl/workflow';
import {
  ChangeReviewer,
  DocumentSubmitted,
  PublicationRequested,
  ReviewApproved,
  ReviewRejected,
} from './messages.js';

/** A document under review, as its run knows it. */
export interface Approval {
  title: string;
  author: string;
  /** Under the name of the reviewer, so that it does not matter who answers first. */
  reviews: Record<string, 'open' | 'approved' | 'rejected'>;
  rejection?: { by: string; reason: string };
}

/** What the author is shown. */
export interface ApprovalStatus {
  readonly title: string;
  readonly stage: string;
  readonly waitingFor: readonly string[];
}

/** Sends a mail once per idempotency key. */
export interface Mailer {
  send(mail: { to: readonly string[]; subject: string }, options: { idempotencyKey: string }): Promise<void>;
}

const approval = workflow<Approval>()('document-approval', {
  version: 1,
  states: ['InReview', 'Escalated', 'Agreed', 'Published', 'Rejected', 'Expired'],
  final: ['Published', 'Rejected', 'Expired'],
});

const UNDER_REVIEW = ['InReview', 'Escalated'] as const;

@approval.Workflow()
export class DocumentApprovalWorkflow {
  constructor(private readonly mailer: Mailer) {}

  @approval.On(DocumentSubmitted, { start: true, to: 'InReview' })
  submitted(data: Approval, { title, author, reviewers }: DocumentSubmitted): void {
    const reviews = Object.fromEntries(reviewers.map((name) => [name, 'open' as const]));
    Object.assign(data, { title, author, reviews });
  }

  /** Who is not a reviewer (yet) waits: the update that makes one of them lets the approval in. */
  @approval.On(ReviewApproved, {
    in: UNDER_REVIEW,
    key: (event) => event.reviewer,
    when: ({ reviews }, { reviewer }) => reviewer in reviews,
    parkedFor: '30d',
    competes: true,
  })
  approved({ reviews }: Approval, { reviewer }: ReviewApproved): void {
    reviews[reviewer] = 'approved';
  }

  /** The first one decides; what comes after it is late. */
  @approval.On(ReviewRejected, {
    in: UNDER_REVIEW,
    to: 'Rejected',
    key: (event) => event.reviewer,
    when: ({ reviews }, { reviewer }) => reviewer in reviews,
    parkedFor: '30d',
    competes: true,
  })
  rejected(data: Approval, { reviewer, reason }: ReviewRejected): void {
    data.reviews[reviewer] = 'rejected';
    data.rejection = { by: reviewer, reason };
  }

  /** Waits until the last of them has agreed. */
  @approval.On(PublicationRequested, {
    in: UNDER_REVIEW,
    to: 'Agreed',
    when: (data) => openIn(data).length === 0,
    parkedFor: '30d',
    competes: true,
  })
  publicationRequested(): void {}

  /** Runs only if the document is still in review two days later. */
  @approval.Step({ in: 'InReview', delay: '2d', effect: 'external', onFailure: 'stop' })
  async remind({ data, idempotencyKey }: StepContext<Approval>): Promise<void> {
    const mail = { to: openIn(data), subject: `Please review "${data.title}"` };
    await this.mailer.send(mail, { idempotencyKey });
  }

  @approval.Timeout({ in: 'InReview', after: '5d', to: 'Escalated' })
  reviewersAreSlow(): void {}

  @approval.Step({ in: 'Escalated', effect: 'external', onFailure: 'stop' })
  async tellAuthor({ data, idempotencyKey }: StepContext<Approval>): Promise<void> {
    const mail = { to: [data.author], subject: `Who shall review "${data.title}" instead?` };
    await this.mailer.send(mail, { idempotencyKey });
  }

  @approval.Deadline({ after: '30d', to: 'Expired' })
  expired(): void {}

  /** Commits together with the transition: it is published once, or not at all. */
  @approval.Step({ in: 'Agreed', to: 'Published' })
  async publish({ key, data, tx }: StepContext<Approval>): Promise<void> {
    await tx.query('insert into published_document (id, title) values ($1, $2)', [key, data.title]);
  }

  @approval.Update({ in: UNDER_REVIEW, input: ChangeReviewer })
  changeReviewer({ reviews }: Approval, { from, to }: ChangeReviewer): { open: string[] } {
    if (reviews[from] !== 'open') throw new UpdateRefusedError(`${from} has no open review`);
    if (to in reviews) throw new UpdateRefusedError(`${to} is a reviewer already`);
    delete reviews[from];
    reviews[to] = 'open';
    return { open: openIn({ reviews }) };
  }

  @approval.Query()
  openReviews(data: Readonly<Approval>): string[] {
    return openIn(data);
  }

  @approval.Status()
  status(data: Readonly<Approval>, { state }: StatusPosition): ApprovalStatus {
    const { title, rejection } = data;
    const stage = rejection ? `rejected by ${rejection.by}: ${rejection.reason}` : STAGES[state];
    return { title, stage: stage ?? state, waitingFor: state in STAGES ? openIn(data) : [] };
  }
}

const STAGES: Readonly<Record<string, string>> = {
  InReview: 'in review',
  Escalated: 'in review for long: you can name other reviewers',
};

function openIn({ reviews }: Pick<Approval, 'reviews'>): string[] {
  return Object.keys(reviews)
    .filter((name) => reviews[name] === 'open')
    .toSorted();
}
