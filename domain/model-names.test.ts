import { describe, expect, it } from 'vitest';
import { familyOf } from './device.ts';
import { modelName, NAMED_MODELS } from './model-names.ts';

describe('the name of a model', () => {
  it.each([
    ['Mac14,2', 'MacBook Air (M2, 2022)'],
    ['MacBookPro18,3', 'MacBook Pro (14-inch, 2021)'],
    ['MacBookPro15,1', 'MacBook Pro (15-inch, 2018) or MacBook Pro (15-inch, 2019)'],
    ['iPhone17,3', 'iPhone 16'],
    ['iPad14,8', 'iPad Air 11-inch (M2)'],
  ])('%s is %s', (model, name) => {
    expect(modelName(model)).toBe(name);
  });

  it.each([null, '', 'Mac99,1', 'VirtualMac2,1', 'constructor'])('%s is not known', (model) => {
    expect(modelName(model)).toBeNull();
  });

  it('is of the family that its identifier says', () => {
    expect(NAMED_MODELS.length).toBeGreaterThan(200);
    const wrong = NAMED_MODELS.filter((model) => {
      const [, family] = /^(?:i(?=Mac))?(Mac|iPhone|iPad)/.exec(modelName(model) ?? '') ?? [];
      return family !== familyOf(model);
    });
    expect(wrong).toEqual([]);
  });
});
