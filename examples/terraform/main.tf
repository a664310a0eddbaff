# Alibaba Cloud's Terraform provider, pointed at vpcdns.
#
#   vpcdns serve --config vpcdns.yaml --admin 127.0.0.1:5380
#   NO_PROXY=127.0.0.1 terraform apply

terraform {
  required_providers {
    alicloud = {
      source  = "aliyun/alicloud"
      version = ">= 1.239"
    }
  }
}

provider "alicloud" {
  region     = "cn-hangzhou"
  access_key = "testAK"
  secret_key = "testSK"

  # Without these it asks billing, STS and location services on the real cloud.
  protocol               = "HTTP"
  skip_region_validation = true
  account_id             = "1234567890123456"
  account_type           = "Domestic"

  endpoints {
    apigateway = "127.0.0.1:5380"
    pvtz       = "127.0.0.1:5380"
  }
}

variable "vpc_id" {
  description = "A VPC of the configuration, in the region above"
}

variable "vswitch_id" {
  description = "A vSwitch of that VPC"
}

resource "alicloud_api_gateway_instance" "orders" {
  instance_name = "orders"
  instance_spec = "api.s1.small"
  https_policy  = "HTTPS2_TLS1_2"
  zone_id       = "cn-hangzhou-MAZ6"
  payment_type  = "PayAsYouGo"
  instance_type = "normal"

  # The binding: only this VPC resolves the names of the instance's groups.
  ingress_vpc_id     = var.vpc_id
  ingress_vswitch_id = var.vswitch_id
}

resource "alicloud_api_gateway_group" "orders" {
  name        = "orders"
  description = "Resolved inside the VPC only"
  instance_id = alicloud_api_gateway_instance.orders.id

  # Switched on last: the instance is bound by then.
  vpc_intranet_enable = true
}

output "vpc_domain" {
  value = alicloud_api_gateway_group.orders.vpc_domain
}

# A private zone: only the VPCs that it is attached to see its records.
resource "alicloud_pvtz_zone" "corp" {
  zone_name     = "corp.internal"
  proxy_pattern = "ZONE"
}

resource "alicloud_pvtz_zone_attachment" "corp" {
  zone_id = alicloud_pvtz_zone.corp.id
  vpc_ids = [var.vpc_id]
}

resource "alicloud_pvtz_zone_record" "db" {
  zone_id = alicloud_pvtz_zone.corp.id
  rr      = "db"
  type    = "A"
  value   = "10.1.0.9"
  ttl     = 60
}
