import { expect, test } from 'vitest';
import { guideOf } from './setup-guide.ts';
import { newSetup } from './setup-wizard.ts';

const copied = (enrollmentLink: string | null) =>
  (['device_integrations', 'ios'] as const).map((step) => {
    const { tasks } = guideOf(step, newSetup('setup-1'), { enrollmentLink, providerName: 'Odette' });
    const link = tasks.find(({ text }) => /^(Enrollment link|Odette has no enrollment link)/.test(text));
    return [link?.copy?.value, link?.text.includes('Set ODETTE_PUBLIC_URL')];
  });

test('the enrollment link is offered once it is known; before, what to set is said and nothing is there to copy', () => {
  const link = 'https://mdm.example.com/enroll';
  expect(copied(link)).toEqual([
    [link, false],
    [link, false],
  ]);
  expect(copied(null)).toEqual([
    [undefined, true],
    [undefined, true],
  ]);
});
