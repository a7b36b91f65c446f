import { MessageType } from '@pawl/messaging';

const text = { type: 'string', minLength: 1, maxLength: 200 };
const plain = (properties: object) => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
});

@MessageType({
  name: 'documents.submitted',
  version: 1,
  schema: plain({
    title: text,
    author: text,
    reviewers: { type: 'array', items: text, minItems: 1, maxItems: 20, uniqueItems: true },
  }),
})
export class DocumentSubmitted {
  constructor(
    readonly title: string,
    readonly author: string,
    readonly reviewers: readonly string[],
  ) {}
}

@MessageType({ name: 'reviews.approved', version: 1, schema: plain({ reviewer: text }) })
export class ReviewApproved {
  constructor(readonly reviewer: string) {}
}

@MessageType({ name: 'reviews.rejected', version: 1, schema: plain({ reviewer: text, reason: text }) })
export class ReviewRejected {
  constructor(
    readonly reviewer: string,
    readonly reason: string,
  ) {}
}

/** The author wants it out as soon as everybody has agreed; said once, at any time. */
@MessageType({ name: 'documents.publication-requested', version: 1 })
export class PublicationRequested {}

/** The input of an update: somebody else reviews in place of `from`. */
@MessageType({ name: 'documents.change-reviewer', version: 1, schema: plain({ from: text, to: text }) })
export class ChangeReviewer {
  constructor(
    readonly from: string,
    readonly to: string,
  ) {}
}
