import { MessageType } from '@pawl/messaging';

/** A file has been uploaded: its rows are in `import_row`. */
@MessageType({
  name: 'imports.uploaded',
  version: 1,
  schema: {
    type: 'object',
    properties: {
      rows: { type: 'integer', minimum: 0, maximum: 1_000_000 },
      reportTo: { type: 'string', minLength: 3, maxLength: 200 },
    },
    required: ['rows', 'reportTo'],
    additionalProperties: false,
  },
})
export class FileUploaded {
  constructor(
    readonly rows: number,
    readonly reportTo: string,
  ) {}
}
