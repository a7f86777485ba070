"""A process that starts or goes on with a campaign: URL STORE NAME COUNT; it tells the first answer and goes on."""

from __future__ import annotations

import json
import sys
import time

import anyio
from common import TEXT, phones
from ways_campaign import client_of

from mensatek_async import Campaigns


async def main(url: str, store: str, name: str, count: int) -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    async with client_of(url) as client, Campaigns(client, store) as campaigns:
        campaign = await (campaigns.start(name, TEXT, phones(count)) if count else campaigns.get(name))
        before, told = (await campaign.progress()).sent, False
        async with campaign.run(interval=0.005) as progress:
            async for p in progress:
                if p.sent > before and not told:
                    told = True
                    print(json.dumps([time.perf_counter() - wall, time.process_time() - cpu]), flush=True)
                    if not count:
                        break


if __name__ == "__main__":
    anyio.run(main, *sys.argv[1:4], int(sys.argv[4]))
