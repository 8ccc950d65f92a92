// What the device listener counts: messages by kind, refusals by code, commands handed over, requests that wait.
import { Counter, Gauge, type Registry } from 'prom-client';

export interface DeviceMetrics {
  /** @param kind MessageType of a check-in, or Status of a report */
  received(kind: string): void;
  handedOver(): void;
  refused(code: string): void;
  /** @param reason why a PKIOperation got no certificate */
  scepRefused(reason: string): void;
}

export function deviceMetrics(registry: Registry, longPolls: { readonly waiting: number }): DeviceMetrics {
  const registers = [registry];
  const messages = new Counter({
    name: 'odette_device_messages_total',
    help: 'Messages of devices, by MessageType or Status',
    labelNames: ['kind'],
    registers,
  });
  const commands = new Counter({
    name: 'odette_device_commands_total',
    help: 'Commands handed over to devices',
    registers,
  });
  const refusals = new Counter({
    name: 'odette_device_refusals_total',
    help: 'Requests of devices that were refused or failed, by code',
    labelNames: ['code'],
    registers,
  });
  const scepRefusals = new Counter({
    name: 'odette_scep_refusals_total',
    help: 'SCEP requests for a device identity that got no certificate, by reason',
    labelNames: ['reason'],
    registers,
  });
  new Gauge({
    name: 'odette_device_long_polls',
    help: 'Requests of devices that wait for their next command',
    registers,
    collect() {
      this.set(longPolls.waiting);
    },
  });
  return {
    received: (kind) => messages.inc({ kind }),
    handedOver: () => commands.inc(),
    refused: (code) => refusals.inc({ code }),
    scepRefused: (reason) => scepRefusals.inc({ reason }),
  };
}
