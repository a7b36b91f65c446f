import { MessageType, messageTypeOf } from './message-type.js';

const schema = {
  type: 'object',
  required: ['index'],
  additionalProperties: false,
  properties: { index: { type: 'integer', minimum: 0 }, note: { type: 'string' } },
};

@MessageType({ name: 'orders.item-added', version: 2, schema })
class ItemAdded {
  declare readonly index: number;
}

class Child extends ItemAdded {}

it('has the declared name and version, whatever the class is called', () => {
  expect(messageTypeOf(ItemAdded)).toMatchObject({ name: 'orders.item-added', version: 2 });
});

it('names all problems of a payload', () => {
  const { problems } = messageTypeOf(ItemAdded);
  expect(problems({ index: 0, note: 'a' })).toEqual([]);
  expect(problems({ index: -1, note: 7, extra: 1 })).toHaveLength(3);
  expect(problems(undefined)).toEqual([expect.stringContaining('the payload')]);
  expect(problems({ index: 1, note: 'a\0' })).toEqual([expect.stringContaining('NUL')]);
});

it('says which class lacks the decorator, and what to do', () => {
  class Undecorated {}
  expect(() => messageTypeOf(Undecorated)).toThrow(
    expect.objectContaining({
      code: 'message_type_missing',
      message: expect.stringMatching(/^Undecorated .*@MessageType\(/),
    }),
  );
});

it("does not take a parent's declaration for its own", () => {
  expect(() => messageTypeOf(Child)).toThrow(expect.objectContaining({ code: 'message_type_missing' }));
});

it.each([
  ['a name like a class', { name: 'ItemAdded', version: 1 }],
  ['an empty name', { name: '', version: 1 }],
  ['version 0', { name: 'a.b', version: 0 }],
  ['half a version', { name: 'a.b', version: 1.5 }],
  ['a schema with a misspelt keyword', { name: 'a.b', version: 1, schema: { typ: 'object' } }],
])('refuses %s', (_, options) => {
  class Wrong {}
  expect(() => MessageType(options)(Wrong)).toThrow(
    expect.objectContaining({ code: 'message_type_invalid', message: expect.stringContaining('Wrong') }),
  );
});
